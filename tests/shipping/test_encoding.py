"""Which encoder an installation gets."""

from __future__ import annotations

from collections.abc import Sequence

from modeltap.core.schema import Schema
from modeltap.shipping import bulk, reference
from modeltap.shipping.encoding import agrees, choose
from modeltap.spool.frame import Frame
from support.pythons import python


def test_polars_and_numpy_bring_the_bulk_encoder():
    assert choose() == (bulk.encode_rows, "bulk")


def test_without_polars_the_reference_encoder_is_chosen():
    output = python(
        "import sys; sys.modules['polars'] = None\n"
        "from modeltap.shipping.encoding import choose\n"
        "print(choose()[0].__module__, choose()[1])"
    )
    assert output.out.split() == ["modeltap.shipping.reference", "reference"], output.err


def test_the_reference_encoder_is_the_standard_library_alone():
    output = python(
        "import sys\n"
        "import modeltap.shipping.encoding, modeltap.shipping.reference, modeltap.shipping.header\n"
        "print(sorted({'numpy', 'polars'} & set(sys.modules)))"
    )
    assert output.out.strip() == "[]", output.err


def test_an_encoder_that_prints_exponents_in_another_form_does_not_agree():
    def other(schema: Schema, frames: Sequence[Frame]) -> bytes:
        return reference.encode_rows(schema, frames).replace(b"e+", b"e")

    assert agrees(bulk.encode_rows)
    assert not agrees(other)

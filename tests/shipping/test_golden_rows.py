"""The golden corpus: stored segments become stored bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from modeltap.core.schema import Schema
from modeltap.shipping import bulk, reference
from modeltap.shipping.encoding import Encoder
from modeltap.shipping.header import header_line
from support.frames import read_segment

GOLDEN = Path(__file__).parents[1] / "golden" / "rows"
CASES = sorted(path.stem for path in GOLDEN.glob("*.seg"))


def test_the_corpus_is_there():
    assert CASES == ["bools", "floats", "integers", "leading", "mixed", "texts", "types"]


@pytest.mark.parametrize("encode", [reference.encode_rows, bulk.encode_rows], ids=["reference", "bulk"])
@pytest.mark.parametrize("case", CASES)
def test_a_stored_segment_becomes_the_stored_bytes(case: str, encode: Encoder):
    schema = Schema.from_json((GOLDEN / f"{case}.schema.json").read_text(encoding="utf-8"))
    frames = read_segment((GOLDEN / f"{case}.seg").read_bytes())
    assert header_line(schema) + encode(schema, frames) == (GOLDEN / f"{case}.csv").read_bytes()

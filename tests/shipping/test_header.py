"""The first line of a data file."""

from __future__ import annotations

import csv
import io

from hypothesis import given

from modeltap.core.dialect import LEADING
from modeltap.core.schema import Schema
from modeltap.shipping.header import header_line
from support.frames import SCHEMAS


def test_modeltaps_own_columns_stand_in_front():
    schema = Schema((("age", "int64"), ("income, yearly", "float64")))
    assert header_line(schema) == (
        b'$Timestamp,$CorrelationId,$RequestId,$HostRequestId,$Row,$SamplePercent,age,"income, yearly"\r\n'
    )


@given(SCHEMAS)
def test_the_header_reads_back_to_the_names(schema: Schema):
    (names,) = csv.reader(io.StringIO(header_line(schema).decode(), newline=""), strict=True)
    assert names == [*LEADING, *schema.names]

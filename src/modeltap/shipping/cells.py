"""The text of one cell: how each value stands in a data file.

Promises: the text reads back to the same value, and equal values have equal text everywhere.

Quotes stand around a text that contains a comma, a quote, CR or LF, and around the empty text (which
tells it from null); a quote inside is doubled. Nothing else needs them: blanks, NUL, a byte order mark,
U+2028 or ``NaN`` as text were read back unchanged by csv, pandas, polars, DuckDB and Spark.

A float64 is written with the shortest digits that read back to it, after these rules (those of polars):

================================  =============================  =========================
magnitude                         form                           examples
================================  =============================  =========================
not a number, infinite            words                          ``NaN`` ``inf`` ``-inf``
0, and 1e-5 <= x < 1e16           plain, at least one decimal    ``0.0`` ``0.00001`` ``3.0``
x < 1e-5                          exponent without leading zero  ``1e-6`` ``5e-324``
x >= 1e16                         exponent with its plus sign    ``1e+16`` ``1.5e+300``
================================  =============================  =========================
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the file's timestamps carry no offset
_MICROSECOND = timedelta(microseconds=1)
FIRST_TIMESTAMP_US = (datetime.min - _EPOCH) // _MICROSECOND  # noqa: DTZ901
LAST_TIMESTAMP_US = (datetime.max - _EPOCH) // _MICROSECOND  # noqa: DTZ901
"""0001-01-01 and 9999-12-31: what four digits of a year hold."""


def quoted(text: str) -> str:
    """A text as a cell, in quotes where it needs them."""
    if text and not ("," in text or '"' in text or "\n" in text or "\r" in text):
        return text
    return '"' + text.replace('"', '""') + '"'


def float_text(value: float) -> str:
    """The shortest text that reads back to the same float64."""
    text = repr(value)
    if "e-0" not in text:
        return text if text != "nan" else "NaN"
    digits, _, exponent = text.partition("e-0")
    if exponent != "5":
        return f"{digits}e-{exponent}"
    sign = "-" if value < 0 else ""
    return f"{sign}0.0000{digits.lstrip('-').replace('.', '')}"


def percent_text(percent: float) -> str:
    """A percentage in plain decimals, as short as exact: ``100``, ``12.5``.

    Raises:
        ValueError: it is not finite.
    """
    if not isfinite(percent):
        raise ValueError(f"the sample percent is {percent}")
    text = format(Decimal(repr(percent)), "f")
    return text.removesuffix(".0")


def timestamp_text(microseconds: int) -> str:
    """An instant, given in microseconds since 1970 UTC: ``2026-11-22T21:39:52.656442``.

    Raises:
        OverflowError: its year is not within 1 to 9999.
    """
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")

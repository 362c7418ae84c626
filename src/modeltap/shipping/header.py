"""The header: the first line of every data file."""

from __future__ import annotations

from modeltap.core.dialect import LEADING, ROW_END
from modeltap.core.schema import Schema
from modeltap.shipping.cells import quoted


def header_line(schema: Schema) -> bytes:
    """The names of all columns, modeltap's own first, as the first line of a data file.

    Args:
        schema: the file's schema.

    Returns:
        UTF-8 text, ended by CR LF: ``$Timestamp,$CorrelationId,...,age,income``.
    """
    return (",".join([*LEADING, *map(quoted, schema.names)]) + ROW_END).encode()

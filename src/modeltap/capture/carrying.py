"""The eight correlation columns, put on the user's predictions in whatever form these are.

Row i of N gets an id that names row i of the inputs call, when that call had N rows; else an id that
names none. ``modeltap.core.correlation`` has the texts.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from modeltap.capture.cells import Refused, read_cell
from modeltap.capture.fields import cells_of, fields_of, is_column, is_record, is_series, libraries_of, plain_dict
from modeltap.capture.records import Shape
from modeltap.core.correlation import (
    CORRELATION_COLUMNS,
    CORRELATION_ID,
    REQUEST_ID,
    correlation_uuid,
    read_correlation_id,
    with_user_id,
)

Correlations = Mapping[str, Any]


def add_correlations(data: Any, correlations: Any, one_name: bool) -> Any:
    """See ``ModelDataCollector.add_correlations``."""
    if not isinstance(correlations, Mapping) or any(name not in correlations for name in CORRELATION_COLUMNS):
        return data
    if data is None:
        return data
    on_frame = _frame_of(data)
    if on_frame is not None:
        return on_frame(data, correlations)
    if hasattr(data, "toarray"):
        data = data.toarray()
    elif hasattr(data, "__array__") and not hasattr(data, "tolist") and not is_series(data):
        data = data.__array__()
    if hasattr(data, "ndim") and hasattr(data, "tolist") and hasattr(data, "dtype"):
        return _on_array(data, correlations, one_name)
    return _on_plain(data, correlations, one_name)


def _frame_of(data: Any) -> Callable[[Any, Correlations], Any] | None:
    """How a data frame gets the columns; None for what is no frame."""
    libraries = libraries_of(data)
    if "pyspark" in libraries and hasattr(data, "withColumn"):
        return _on_spark
    if "pandas" in libraries and hasattr(data, "assign"):
        return _on_pandas
    if "polars" in libraries and hasattr(data, "with_columns"):
        return _on_polars
    if hasattr(data, "append_column") or (hasattr(data, "__arrow_c_stream__") and not is_series(data)):
        return _on_arrow
    return None


def values_of(correlations: Correlations, rows: int) -> list[list[Any]]:
    """The eight values of each of ``rows`` rows."""
    request_id = str(correlations[REQUEST_ID])
    given = correlations[CORRELATION_ID]
    if isinstance(given, list | tuple):
        known = len(given) == rows
        texts = [str(one) for one in given] if known else [correlation_uuid(request_id, -1, 0)] * rows
    else:
        texts = _texts_of_one(str(given), request_id, rows)
    return [[text if name == CORRELATION_ID else correlations[name] for name in CORRELATION_COLUMNS] for text in texts]


def _texts_of_one(text: str, request_id: str, rows: int) -> list[str]:
    """The correlation id of each row, from the one of the call."""
    carried = read_correlation_id(text, request_id)
    if carried.first_row is not None and carried.rows == rows:
        uuids = [correlation_uuid(request_id, carried.first_row + place, 1) for place in range(rows)]
    elif carried.user_id == text:
        return [text] * rows  # not one of ours: it stays as it is
    else:
        uuids = [correlation_uuid(request_id, -1, 0)] * rows
    return [with_user_id(carried.user_id, uuid) for uuid in uuids]


def _columns(correlations: Correlations, rows: int) -> dict[str, list[Any]]:
    values = values_of(correlations, rows)
    return {name: [row[place] for row in values] for place, name in enumerate(CORRELATION_COLUMNS)}


def _on_spark(frame: Any, correlations: Correlations) -> Any:
    """All rows of a Spark frame get the call's values: its rows have no order to name them by."""
    literal = sys.modules["pyspark.sql.functions"].lit
    for name in CORRELATION_COLUMNS:
        value = correlations[name]
        if isinstance(value, list | tuple):
            value = correlation_uuid(str(correlations[REQUEST_ID]), -1, 0)
        frame = frame.withColumn(name, literal(str(value)))
    return frame


def _on_pandas(frame: Any, correlations: Correlations) -> Any:
    levels = frame.columns.nlevels
    joined = frame.copy(deep=False)
    for name, values in _columns(correlations, len(frame)).items():
        joined[name if levels == 1 else (name, *[""] * (levels - 1))] = values
    return joined


def _on_polars(frame: Any, correlations: Correlations) -> Any:
    return frame.with_columns(sys.modules["polars"].DataFrame(_columns(correlations, len(frame))).get_columns())


def _on_arrow(data: Any, correlations: Correlations) -> Any:
    arrow: Any = import_module("pyarrow")
    if not hasattr(data, "append_column"):
        data = arrow.table(data)
    for name, values in _columns(correlations, len(data)).items():
        data = data.append_column(name, arrow.array(values))
    return data


def _on_array(data: Any, correlations: Correlations, one_name: bool) -> Any:
    if data.ndim > 2:
        raise Refused("too_many_dimensions")
    if data.dtype.names:
        return _on_records([dict(zip(data.dtype.names, row, strict=True)) for row in data.tolist()], correlations)
    if data.ndim == 2 and data.dtype.kind in "mM":
        rows = [cells_of(row) for row in data]
    else:
        rows = cells_of(data) if data.ndim else [data[()]]
    return sys.modules["numpy"].array(_joined(_as_rows(rows, correlations, one_name), correlations), dtype=object)


def _on_plain(data: Any, correlations: Correlations, one_name: bool) -> Any:
    if isinstance(data, Mapping):
        return _on_dict(plain_dict(data), correlations)
    if is_record(data):
        return _on_records([fields_of(data) or {}], correlations)[0]
    if isinstance(data, list | tuple | array) or is_series(data):
        values = cells_of(data)
        if values and all(isinstance(row, Mapping) or is_record(row) for row in values):
            return _on_records(
                [plain_dict(row if isinstance(row, Mapping) else fields_of(row) or {}) for row in values], correlations
            )
        joined = _joined(_as_rows(values, correlations, one_name), correlations)
        return joined[0] if len(joined) == 1 and not _has_rows(values) else joined
    if isinstance(data, set | frozenset):
        raise Refused("unsupported_type")
    read_cell(data)  # refuses what no cell could hold
    return [data, *values_of(correlations, 1)[0]]


def _on_dict(data: Mapping[Any, Any], correlations: Correlations) -> dict[Any, Any]:
    if data and all(is_column(value) for value in data.values()):
        return {**data, **_columns(correlations, len(next(iter(data.values()))))}
    return _on_records([data], correlations)[0]


def _on_records(records: Sequence[Mapping[Any, Any]], correlations: Correlations) -> list[dict[Any, Any]]:
    extras = values_of(correlations, len(records))
    return [
        {**record, **dict(zip(CORRELATION_COLUMNS, extra, strict=True))}
        for record, extra in zip(records, extras, strict=True)
    ]


def _joined(rows: list[list[Any]], correlations: Correlations) -> list[list[Any]]:
    return [[*row, *extra] for row, extra in zip(rows, values_of(correlations, len(rows)), strict=True)]


def _has_rows(values: Sequence[Any]) -> bool:
    first = values[0] if values else None
    return isinstance(first, list | tuple) or getattr(first, "ndim", 0) == 1 or is_series(first)


def _as_rows(values: list[Any], correlations: Correlations, one_name: bool) -> list[list[Any]]:
    """Rows of a list, by the same rules of shape as ``collect`` has."""
    if not values:
        return []
    if _has_rows(values):
        return [cells_of(row) for row in values]
    given = correlations[CORRELATION_ID]
    carried = read_correlation_id(str(given), str(correlations[REQUEST_ID]))
    covered = len(given) if isinstance(given, list | tuple) else carried.rows
    if Shape(covered or None, one_name).rows_of_flat(len(values)) == 1:
        return [values]
    return [[value] for value in values]

"""The eight correlation columns, put on the user's predictions in whatever form these are.

Row i of N gets an id that names row i of the inputs call, when that call had N rows; else an id that
names none. ``modeltap.core.correlation`` has the texts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from modeltap.core.correlation import (
    CORRELATION_COLUMNS,
    CORRELATION_ID,
    REQUEST_ID,
    correlation_uuid,
    read_correlation_id,
    with_user_id,
)


def add_correlations(data: Any, correlations: Any, one_name: bool) -> Any:
    """See ``ModelDataCollector.add_correlations``."""
    if not isinstance(correlations, Mapping) or any(name not in correlations for name in CORRELATION_COLUMNS):
        return data
    library = type(data).__module__.partition(".")[0]
    if library == "pyspark":
        return _on_spark(data, correlations)
    if library == "pandas" and hasattr(data, "assign"):
        return data.assign(**_columns(correlations, len(data)))
    if library == "polars" and hasattr(data, "with_columns"):
        frame = sys.modules["polars"].DataFrame(_columns(correlations, len(data)))
        return data.hstack(frame)
    if library == "pyarrow" and hasattr(data, "append_column"):
        for name, values in _columns(correlations, len(data)).items():
            data = data.append_column(name, [values])
        return data
    if hasattr(data, "ndim") and hasattr(data, "tolist") and hasattr(data, "dtype"):
        return _on_array(data, correlations, one_name)
    return _on_plain(data, correlations, one_name)


def values_of(correlations: Mapping[str, Any], rows: int) -> list[list[Any]]:
    """The eight values of each of ``rows`` rows."""
    request_id = str(correlations[REQUEST_ID])
    given = correlations[CORRELATION_ID]
    own = [str(one) for one in given] if isinstance(given, list | tuple) else [str(given)] * rows
    if len(own) != rows:
        own = [str(own[0]) if own else ""] * rows
    result = []
    for place, text in enumerate(own):
        carried = read_correlation_id(text, request_id)
        if carried.first_row is not None and carried.rows == rows:
            uuid = correlation_uuid(request_id, carried.first_row + place, 1)
        elif carried.user_id == text:
            uuid = ""
        else:
            uuid = correlation_uuid(request_id, -1, 0)
        identity = with_user_id(carried.user_id, uuid) if uuid else text
        result.append([identity if name == CORRELATION_ID else correlations[name] for name in CORRELATION_COLUMNS])
    return result


def _columns(correlations: Mapping[str, Any], rows: int) -> dict[str, list[Any]]:
    values = values_of(correlations, rows)
    return {name: [row[place] for row in values] for place, name in enumerate(CORRELATION_COLUMNS)}


def _on_spark(frame: Any, correlations: Mapping[str, Any]) -> Any:
    """All rows of a Spark frame get the call's values: its rows have no order to name them by."""
    literal = sys.modules["pyspark.sql.functions"].lit
    for name in CORRELATION_COLUMNS:
        frame = frame.withColumn(name, literal(str(correlations[name])))
    return frame


def _on_array(data: Any, correlations: Mapping[str, Any], one_name: bool) -> Any:
    numpy = sys.modules["numpy"]
    if data.ndim > 2:
        return data
    rows = _as_rows(data.tolist() if data.ndim else [data.item()], correlations, one_name)
    joined = [[*row, *extra] for row, extra in zip(rows, values_of(correlations, len(rows)), strict=True)]
    return numpy.array(joined, dtype=object)


def _on_plain(data: Any, correlations: Mapping[str, Any], one_name: bool) -> Any:
    if isinstance(data, Mapping):
        return _on_dict(data, correlations)
    if isinstance(data, list | tuple) and data and all(isinstance(row, Mapping) for row in data):
        extras = values_of(correlations, len(data))
        return [
            {**row, **dict(zip(CORRELATION_COLUMNS, extra, strict=True))}
            for row, extra in zip(data, extras, strict=True)
        ]
    if isinstance(data, list | tuple) and not hasattr(data, "_fields"):
        rows = _as_rows(list(data), correlations, one_name)
        extras = values_of(correlations, len(rows))
        joined = [[*row, *extra] for row, extra in zip(rows, extras, strict=True)]
        return joined[0] if len(joined) == 1 and not _has_rows(data) else joined
    if isinstance(data, str | bytes | int | float) or data is None:
        return [data, *values_of(correlations, 1)[0]]
    return data


def _on_dict(data: Mapping[Any, Any], correlations: Mapping[str, Any]) -> dict[Any, Any]:
    columns = [value for value in data.values() if isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1]
    if columns and len(columns) == len(data):
        return {**data, **_columns(correlations, len(columns[0]))}
    return {**data, **dict(zip(CORRELATION_COLUMNS, values_of(correlations, 1)[0], strict=True))}


def _has_rows(data: Sequence[Any]) -> bool:
    return bool(data) and (isinstance(data[0], list | tuple) or getattr(data[0], "ndim", 0) == 1)


def _as_rows(values: list[Any], correlations: Mapping[str, Any], one_name: bool) -> list[list[Any]]:
    """Rows of a list, by the same rules of shape as ``collect`` has."""
    if not values:
        return []
    if _has_rows(values):
        return [list(row) for row in values]
    given = correlations[CORRELATION_ID]
    carried = read_correlation_id(str(given), str(correlations[REQUEST_ID]))
    covered = len(given) if isinstance(given, list | tuple) else carried.rows
    if len(values) > 1 and (covered == len(values) or (one_name and covered != 1)):
        return [[value] for value in values]
    return [values]

"""Records and columns: values of other libraries that have named fields, or are a column of cells.

Known by what they can do, so that nothing is imported for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from itertools import islice
from typing import Any

MAX_COLUMNS = 10_000


def libraries_of(value: Any) -> set[str]:
    """The packages that a value's type and the types that it extends come from."""
    return {base.__module__.partition(".")[0] for base in type(value).__mro__}


def is_record(value: Any) -> bool:
    """Whether a value has named fields: named tuple, dataclass, pydantic model, Spark row."""
    kind = type(value)
    if isinstance(value, tuple):
        return hasattr(kind, "_fields") or hasattr(value, "__fields__")
    return dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields") or hasattr(kind, "__fields__")


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """The fields of a record by name; None when it tells none."""
    kind = type(value)
    if isinstance(value, tuple):
        return dict(zip(getattr(kind, "_fields", None) or value.__fields__, value, strict=True))  # type: ignore[attr-defined]
    if dataclasses.is_dataclass(kind):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}
    for dump in ("model_dump", "dict"):
        if callable(getattr(value, dump, None)):
            found = getattr(value, dump)()
            return found if isinstance(found, Mapping) else None
    return None


def is_column(value: Any) -> bool:
    """Whether a dict's value is a column and no cell."""
    if isinstance(value, list | tuple):
        return not is_record(value)
    return hasattr(value, "__len__") and (getattr(value, "ndim", 0) == 1 or is_series(value))


def is_series(value: Any) -> bool:
    """Whether a value is a column of a library that counts no dimensions (polars, Arrow)."""
    return hasattr(value, "to_pylist") or (hasattr(value, "to_list") and hasattr(value, "dtype"))


def cells_of(values: Any) -> list[Any]:
    """The cells of a column as Python values, each with its own type.

    Raises:
        TypeError: the value is no column, whatever it says: nothing is read that may never end.
    """
    if isinstance(values, list):
        return list.copy(values)
    if isinstance(values, tuple):
        return list(tuple.__iter__(values))
    if getattr(getattr(values, "dtype", None), "kind", "") in ("m", "M"):
        return [values[place] for place in range(len(values))]  # numpy's own lists forget what a nanosecond is
    for method in ("to_pylist", "tolist", "to_list"):
        unwrap = getattr(values, method, None)
        if callable(unwrap):
            found = unwrap()
            if type(found) is list:
                return found
    raise TypeError(f"a {type(values).__name__} is no column")


def plain_dict(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    """A mapping as a dict; of one that is not a dict at most so many items are read as make a row."""
    if isinstance(fields, dict):
        return fields if type(fields) is dict else dict(dict.items(fields))
    return dict(islice(fields.items(), MAX_COLUMNS + 1))


def labels_of(series: Any) -> tuple[str, ...] | None:
    """The labels of a series as column names, when all are text and different."""
    index = getattr(series, "index", None)
    if index is None or not hasattr(index, "tolist"):
        return None
    labels = index.tolist()
    if not labels or len(set(labels)) != len(labels) or not all(isinstance(label, str) for label in labels):
        return None
    return tuple(labels)

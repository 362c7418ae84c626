"""Which reader a value gets, decided once per type by what the value can do, not by imports."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from typing import Any

from modeltap.capture import arrays, frames, records
from modeltap.capture.cells import PLAIN, Refused
from modeltap.capture.fields import cells_of, is_record, libraries_of, plain_dict
from modeltap.capture.records import Shape
from modeltap.capture.tables import Table

Reader = Callable[[Any, Shape], Table]

MAX_READERS = 512
_BUILT_IN: dict[type, Reader] = {
    **dict.fromkeys(PLAIN, records.read_scalar),
    list: records.read_list,
    tuple: records.read_list,
    dict: records.read_dict,
}
readers = _BUILT_IN.copy()


def reader_of(value: Any) -> Reader:
    """The reader for a value.

    Raises:
        Refused: no table can be made of such a value.
    """
    kind = type(value)
    found = readers.get(kind)
    if found is None:
        found = _choose(value)
        if len(readers) >= MAX_READERS:  # types made anew for every call must not keep out those that stay
            readers.clear()
            readers.update(_BUILT_IN)
        readers[kind] = found
    return found


def _choose(value: Any) -> Reader:
    libraries = libraries_of(value)
    if "pyspark" in libraries and hasattr(value, "collect"):
        return frames.read_spark
    if "scipy" in libraries and hasattr(value, "toarray"):
        return arrays.read_sparse
    if "pandas" in libraries and hasattr(value, "dtypes") and hasattr(value, "columns"):
        return frames.read_pandas
    if libraries & {"pandas", "polars"} and hasattr(value, "name") and not hasattr(value, "columns"):
        return arrays.read_series
    if "polars" in libraries:
        return frames.read_polars
    if "pyarrow" in libraries and hasattr(value, "schema") and hasattr(value, "columns"):
        return frames.read_arrow
    if hasattr(value, "to_pylist") or isinstance(value, array):
        return _read_values
    return _choose_by_protocol(value)


def _choose_by_protocol(value: Any) -> Reader:
    if isinstance(value, str | bytes | float):  # numpy's own kinds of these have an array's methods too
        return _read_single
    if hasattr(value, "__arrow_c_stream__"):
        return frames.read_arrow_stream
    if all(hasattr(value, name) for name in ("dtype", "ndim", "tobytes", "tolist", "astype")):
        return arrays.read_masked if hasattr(value, "filled") else arrays.read_array
    if hasattr(value, "__array__"):
        return arrays.read_array_like
    if isinstance(value, Mapping):
        return _read_mapping
    if is_record(value):
        return records.read_record
    if isinstance(value, list | tuple):
        return records.read_list
    return _read_single


def _read_mapping(value: Any, shape: Shape) -> Table:
    return records.read_dict(plain_dict(value), shape)


def _read_values(value: Any, shape: Shape) -> Table:
    return records.read_list(cells_of(value), shape)


def _read_single(value: Any, shape: Shape) -> Table:
    if isinstance(value, set | frozenset):
        raise Refused("unsupported_type")
    try:
        return records.read_scalar(value, shape)
    except Refused as error:
        raise Refused("unsupported_type") from error

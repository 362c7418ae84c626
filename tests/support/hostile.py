"""Hostile values without end, from a seed: what a scoring file may hand over by mistake, and what nobody would.

Objects whose special methods raise or lie, values that hold themselves, numbers and texts at every edge,
arrays and frames of all of these. The same seed gives the same values.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import math
import uuid
from collections import UserDict, UserList, namedtuple
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePosixPath
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pydantic
import scipy.sparse

ERRORS: tuple[type[Exception], ...] = (
    *(RuntimeError, AttributeError, TypeError, ValueError, KeyError, StopIteration, RecursionError, MemoryError),
    *(UnicodeError, OverflowError, ZeroDivisionError, AssertionError, NotImplementedError, OSError, LookupError),
)
SPECIAL = (
    *("__len__", "__iter__", "__getitem__", "__contains__", "__str__", "__repr__", "__bool__", "__hash__", "__eq__"),
    *("__ne__", "__lt__", "__float__", "__int__", "__index__", "__bytes__", "__format__", "__array__", "__dir__"),
    *("__arrow_c_stream__", "__fspath__", "__copy__", "__deepcopy__", "__reduce_ex__", "__sizeof__", "__length_hint__"),
)
ASKED = (
    *("dtype", "ndim", "shape", "tolist", "to_list", "to_pylist", "astype", "tobytes", "columns", "dtypes", "name"),
    *("item", "as_py", "index", "items", "keys", "values", "schema", "mask", "filled", "toarray", "detach", "collect"),
    *("model_dump", "model_fields", "dict", "to_dict", "_fields", "_asdict", "__fields__", "assign", "with_columns"),
    *("get_columns", "append_column", "withColumn", "__dataclass_fields__", "value", "nanosecond", "tzinfo", "rows"),
)


class Untold(Exception):
    """An error that nothing can be told of."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def raising(random: Random) -> Callable[..., Any]:
    error = random.choice((*ERRORS, Untold))

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise error("hostile")

    return method


def lying(random: Random, depth: int) -> Callable[..., Any]:
    lie = scalar(random) if depth < 1 else random.choice([rows, array, mapping, sequence])(random, 1)
    if random.random() < 0.3:
        return lambda self, *args, **kwargs: self
    return lambda self, *args, **kwargs: lie


def finite(method: Callable[..., Any]) -> Callable[..., Any]:
    """Items that end: what claims to be a sequence without end is no scoring file's mistake."""

    def item(self: Any, key: Any) -> Any:
        if type(key) is int and key > 3:
            raise IndexError(key)
        return method(self)

    return item


@lru_cache(maxsize=1)
def known_liars() -> list[type]:
    """Some hundred types of liars; making them takes longer than asking them."""
    random = Random(0)
    return [liar_type(random, 1) for _ in range(400)]


def liar(random: Random, depth: int) -> Any:
    """An object that raises and lies wherever it is asked."""
    kind = liar_type(random, depth) if random.random() < 0.02 else random.choice(known_liars())
    try:
        return kind()
    except Exception:
        return object()


def liar_type(random: Random, depth: int) -> type:
    members: dict[str, Any] = {}
    for name in random.sample(SPECIAL, random.randrange(len(SPECIAL))):
        is_raising = random.random() < 0.6 or name == "__getitem__"
        members[name] = raising(random) if is_raising else lying(random, random.randrange(2))
    for name in random.sample(ASKED, random.randrange(len(ASKED) // 2)):
        method = raising(random) if random.random() < 0.4 else lying(random, random.randrange(2))
        members[name] = property(method) if random.random() < 0.6 else method
    if "__getitem__" in members and random.random() < 0.6:
        members["__getitem__"] = finite(lying(random, 1))
    if random.random() < 0.2:
        members["__getattr__"] = raising(random) if random.random() < 0.5 else lambda self, name: self
    if random.random() < 0.1:
        other = random.choice([list, dict, str, int, float, np.ndarray, pd.DataFrame, type(None)])
        members["__class__"] = property(lambda self: other)
    members["__module__"] = random.choice(
        ["hostile", "pandas.core", "polars", "pyarrow.lib", "numpy", "scipy", "pyspark.sql", ""]
    )
    bases = random.choice(
        [(), (), (list,), (dict,), (tuple,), (str,), (int,), (float,), (bytes,), (UserDict,), (UserList,)]
    )
    name = random.choice(["Hostile", "NAType", "NaTType", "datetime64", "timedelta64", "longdouble", "MaskedConstant"])
    try:
        return type(name, bases, members)
    except Exception:
        return object


class Zone(dt.tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, moment: Any) -> Any:
        raise RuntimeError("no offset")

    dst = tzname = utcoffset


class Grade(enum.Enum):
    BAD = float("nan")
    ODD = (1, 2)


class Wide(pydantic.BaseModel):
    inner: Any = None


@dataclasses.dataclass
class Data:
    inner: Any = None


Pair = namedtuple("Pair", "left right")  # noqa: PYI024  holds anything

SCALARS: tuple[Callable[[Random], Any], ...] = (
    lambda random: None,
    lambda random: random.random() < 0.5,
    lambda random: random.choice(
        [0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**400, 10**5000]
    ),
    lambda random: random.randrange(-100, 100),
    lambda random: random.choice([0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.8e308, 0.1, 1e16]),
    lambda random: random.uniform(-1e6, 1e6),
    lambda random: "".join(
        chr(random.choice([0, 9, 10, 13, 34, 44, 65, 233, 0x2028, 0xD800, 0xFEFF, 0x1F600]))
        for _ in range(random.randrange(6))
    ),
    lambda random: "x" * random.choice([0, 1, 100, 3000]),
    lambda random: random.randbytes(random.randrange(20)),
    lambda random: bytearray(random.randbytes(3)),
    lambda random: memoryview(random.randbytes(8)).cast("d") if random.random() < 0.5 else memoryview(b"ab"),
    lambda random: decimal.Decimal(random.choice(["NaN", "sNaN", "Infinity", "-0", "1E+1000", "0.1", "1" * 50])),
    lambda random: random.choice([dt.datetime.min, dt.datetime.max, dt.date.min, dt.time.max, dt.timedelta.max]),  # noqa: DTZ901  the edges
    lambda random: dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=random.randrange(-23, 24)))),
    lambda random: dt.datetime(2026, 1, 1, tzinfo=Zone()),
    lambda random: random.choice(
        [pd.NaT, pd.NA, pd.Timestamp("2026-01-01", tz="Europe/Berlin"), pd.Timedelta(1), pd.Interval(0, 1)]
    ),
    lambda random: np.datetime64(random.randrange(-(2**62), 2**62), random.choice(["s", "ns", "D", "Y", "as"])),
    lambda random: np.timedelta64(random.choice(["NaT", 5]), random.choice(["s", "ns", "Y"])),
    lambda random: random.choice([np.float16, np.float32, np.longdouble])(random.choice(["nan", "inf", "0.1", "1e4"])),
    lambda random: random.choice(
        [np.int8(1), np.uint64(2**64 - 1), np.bool_(True), np.str_("x"), np.bytes_(b"x"), np.complex64(1)]
    ),
    lambda random: random.choice(
        [np.void(b"ab"), np.ma.masked, np.array(None), ..., NotImplemented, 1j, range(3), len, int, Random]
    ),
    lambda random: random.choice(
        [uuid.UUID(int=1), PurePosixPath("a"), Grade.BAD, Grade.ODD, slice(1), iter([1]), (n for n in [1])]
    ),
    lambda random: random.choice([Exception("x"), Untold(), type, object, lambda: 1, super, print]),
)


def scalar(random: Random) -> Any:
    return random.choice(SCALARS)(random)


def circle(random: Random) -> Any:
    """A value that holds itself."""
    kind = random.randrange(4)
    if kind == 0:
        found: Any = [1]
        found.append(found)
    elif kind == 1:
        found = {"a": 1}
        found["self"] = found
    elif kind == 2:
        found = Data()
        found.inner = [found]
    else:
        found = np.empty(2, dtype=object)
        found[0] = found
    return found


def deep(random: Random) -> Any:
    found: Any = scalar(random)
    for _ in range(random.choice([5, 31, 33, 100, 3000])):
        found = [found] if random.random() < 0.9 else {"k": found}
    return found


def rows(random: Random, depth: int) -> list[Any]:
    width = random.randrange(4)
    return [
        [value(random, depth - 1) for _ in range(width if random.random() < 0.95 else width + 1)]
        for _ in range(random.randrange(1, 5))
    ]


def array(random: Random, depth: int) -> Any:
    shape = random.choice([(), (0,), (3,), (2, 2), (0, 3), (3, 0), (1, 1), (2, 1, 2)])
    dtype = random.choice(
        [
            "f2",
            "f4",
            ">f8",
            "f8",
            "g",
            "i1",
            ">i8",
            "u8",
            ">u8",
            "?",
            "c8",
            "S3",
            "U3",
            "O",
            "M8[ns]",
            "M8[Y]",
            "m8[s]",
            "V4",
        ]
    )
    found = np.frombuffer(random.randbytes(64 * 64), dtype="u1")
    size = int(np.prod(shape))
    if dtype == "O":
        filled = np.empty(size, dtype=object)
        for place in range(size):
            filled[place] = value(random, depth - 1)
        return filled.reshape(shape)
    if dtype == "U3":
        return np.full(shape, random.choice(["", "ab\0", "é"]), dtype="U3")
    item = np.dtype(dtype).itemsize
    plain = np.frombuffer(found.tobytes()[: size * item], dtype=dtype).reshape(shape)
    if random.random() < 0.2:
        return np.ma.array(plain, mask=[random.random() < 0.5] if size == 1 else np.ma.nomask)
    return plain[::-1] if shape and random.random() < 0.3 else plain


def frame(random: Random, depth: int) -> Any:
    length = random.choice([0, 1, 2, 20])
    columns = {
        random.choice(["a", "b", "$c", "A", 0, None, "é"]): [value(random, depth - 1) for _ in range(length)]
        for _ in range(3)
    }
    tame = [random.choice([None, 1, 2.5, math.nan]) for _ in range(length)]  # polars panics at more
    makers: tuple[Callable[[], Any], ...] = (
        lambda: pd.DataFrame(columns, dtype=object),
        lambda: pd.DataFrame(columns),
        lambda: pd.DataFrame({"x": range(length)}, index=[random.random() for _ in range(length)]),
        lambda: pd.Series(columns.popitem()[1], dtype=object),
        lambda: pl.DataFrame({"n": tame, "t": map(repr, tame), "l": [[cell] for cell in tame]}, strict=False),
        lambda: pl.Series("s", tame, strict=False),
        lambda: pa.table({"n": pa.array(tame), "l": pa.array([[cell] for cell in tame])}),
        lambda: scipy.sparse.random(3, 2, density=0.5, rng=random.randrange(100)),
        lambda: pl.LazyFrame({"a": [1]}),
    )
    try:
        return random.choice(makers)()
    except Exception:
        return columns


def record(random: Random, depth: int) -> Any:
    inner = value(random, depth - 1)
    return (
        random.choice([Data, lambda v: Wide(inner=v), lambda v: Pair(v, v), UserDict, lambda v: UserDict({"k": v})])(
            inner
        )
        if not isinstance(inner, dict)
        else Data(inner)
    )


def mapping(random: Random, depth: int) -> Any:
    keys: list[Any] = ["a", "b", "$aml_dc_correlation_id", "", 1, 1.5, None, ("t",), "\ud800", b"k"]
    return {random.choice(keys): value(random, depth - 1) for _ in range(random.randrange(5))}


def sequence(random: Random, depth: int) -> Any:
    kind = random.choice([list, tuple, set, frozenset, UserList])
    values = [value(random, depth - 1) for _ in range(random.randrange(5))]
    try:
        return kind(values)
    except Exception:
        return values


NESTED: tuple[Callable[[Random, int], Any], ...] = (
    *(rows, rows, array, array, array, record, record, mapping, mapping, sequence, liar, liar, liar),
    frame,
)


def value(random: Random, depth: int = 3) -> Any:
    """One value, hostile more often than not."""
    if depth <= 0 or random.random() < 0.25:
        return scalar(random)
    if random.random() < 0.03:
        return random.choice([circle, deep])(random)
    try:
        return random.choice(NESTED)(random, depth)
    except Exception:
        return None

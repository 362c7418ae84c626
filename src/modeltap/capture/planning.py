"""Plans: which column names and types a table gets, remembered per collector.

Promises: names of the value win over feature names; a wrong width never rejects; a column keeps the
widest number type that it ever had in this process (an integer beside earlier floats is a float where
it is exact, a column of nulls has the type of its last values, and NaN in a column that held no numbers
is null), so that the number of schemas stays small although JSON tells 3 from 3.0 only by chance, and
pandas writes NaN for every kind of missing value.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple

from modeltap.capture.cells import Refused, compact, exact
from modeltap.capture.fields import MAX_COLUMNS
from modeltap.capture.tables import FRAME_ROOM_BYTES, VALUE_BYTES, Block, Cells, Parts, Table
from modeltap.core.key import CollectionKey
from modeltap.core.names import column_names
from modeltap.core.schema import DECIMAL, FLOAT64, INT64, MAX_SCHEMAS_PER_DAY, NULL, Schema
from modeltap.spool.frame import NO_ROW, Descriptor, Frame, block_values, decode_columns

MAX_PLANNED_COLUMNS = 100_000
"""Of all plans that one collector remembers: 1,000 plans of 100 columns, 10 of 10,000."""
MIN_ROOM_BYTES = 256 << 10
MAX_FRAME_ROWS = 1 << 16
_NUMBERS = frozenset({NULL, INT64, FLOAT64, DECIMAL})
MAX_KNOWN_COLUMNS = 10_000
MAX_SCHEMAS = 4 * MAX_SCHEMAS_PER_DAY
SECONDS_PER_DAY = 86_400


class Plan(NamedTuple):
    """How a table is written.

    Attributes:
        descriptor: names and types as they travel.
        widened: columns whose integers count as floats; each must be exact.
        mismatch: the table's width is not that of the feature names.
        room_bytes: how long a payload, with ids of its rows, may be beside the descriptor in a frame.
        blanks: columns of floats that held other values before; where all is NaN it stands for nothing.
    """

    descriptor: Descriptor
    widened: tuple[int, ...]
    mismatch: bool
    room_bytes: int
    blanks: tuple[int, ...]


class Planner:
    """The columns of one collector."""

    def __init__(self, key: CollectionKey, feature_names: Iterable[object] | None) -> None:
        self._key = key
        self._features = _feature_names(feature_names)
        self.has_one_name = len(self._features) == 1
        self.known: dict[object, None] = {}
        self._types: dict[str, str] = {}
        self._plans: dict[object, Plan] = {}
        self._names: dict[object, tuple[str, ...]] = {}
        self._descriptors: dict[object, Descriptor] = {}
        self._schemas: set[int] = set()
        self._since = 0.0

    def plan(self, table: Table) -> Plan:
        """The plan for a table; the same object for equal names and types."""
        if type(table) is Block:
            signature: object = (table.layout, table.width, table.names)
        else:
            signature = (table.layout, table.names, table.types)
        found = self._plans.get(signature)
        if found is None:
            found = self._make(table, widen=True)
            self._keep(signature, found, table.width + 1)
        if found.widened and type(table) is Cells and not _exact(table, found.widened):
            return self._make(table, widen=False)
        return found

    def shown(self, table: Table) -> list[str]:
        """The rows as text, one JSON object each."""
        descriptor, payload = self.plan(table).descriptor, memoryview(table.payload())
        frame = Frame(descriptor, 0, 0, 0, table.rows, NO_ROW, 100.0, "", "", "", None, payload)
        rows = zip(*decode_columns(frame), strict=True)
        return [compact(dict(zip(descriptor.schema.names, row, strict=True))) for row in rows]

    def _keep(self, signature: object, plan: Plan, width: int) -> None:
        if (len(self._plans) + 1) * width > MAX_PLANNED_COLUMNS:
            self._plans.clear()
        self._plans[signature] = plan

    def plan_without_blanks(self, table: Table, plan: Plan) -> tuple[Table, Plan]:
        """Table and plan, with null where NaN stands for nothing; what is left are numbers."""
        table = emptied(table, plan.blanks)
        return table, self._make(table, widen=True, settled=True)

    def _make(self, table: Table, *, widen: bool, settled: bool = False) -> Plan:
        names, types = self._names_of(table), list(table.types)
        widened, blanks = [], []
        for place, name in enumerate(names):
            before = self._types.get(name, NULL)
            if types[place] == NULL:
                types[place] = before
            elif types[place] == FLOAT64 and before not in _NUMBERS and not settled:
                blanks.append(place)
            elif types[place] == INT64 and before == FLOAT64 and widen and type(table) is Cells:
                types[place] = FLOAT64
                widened.append(place)
        columns = tuple(zip(names, types, strict=True))
        descriptor = self._describe(columns, table.layout)
        room_bytes = FRAME_ROOM_BYTES - len(descriptor.encoded)
        if room_bytes < MIN_ROOM_BYTES:
            raise Refused("names_too_long")
        if type(table) is Block:  # narrow rows: the agent's memory grows with rows, not with their bytes
            room_bytes = min(room_bytes, MAX_FRAME_ROWS * table.width * VALUE_BYTES[table.layout])
        if not blanks:  # else what is left of the columns is admitted, once the blanks are out
            self._admit(columns)
        self._know(table)
        self._learn([column for place, column in enumerate(columns) if place not in blanks] if blanks else columns)
        mismatch = table.names is None and bool(self._features) and table.width != len(self._features)
        return Plan(descriptor, tuple(widened), mismatch, room_bytes, tuple(blanks))

    def _admit(self, columns: tuple[tuple[str, str], ...]) -> None:
        """Refuse rows whose columns are new again and again, as where ids are used as keys.

        A file of a day takes rows of many of them (other order, nulls), so the bound here is
        four times that of the files, and whole numbers count as floats: pandas makes a column of the one or
        the other as a batch happens to have missing values; it keeps this process and the agent from remembering without end.
        """
        schema = hash(tuple((name, FLOAT64 if kind == INT64 else kind) for name, kind in columns))
        if schema in self._schemas:
            return
        if len(self._schemas) >= MAX_SCHEMAS and monotonic() - self._since < SECONDS_PER_DAY:
            raise Refused("too_many_schemas")
        if len(self._schemas) >= MAX_SCHEMAS:
            self._schemas.clear()
        if not self._schemas:
            self._since = monotonic()
        self._schemas.add(schema)

    def _names_of(self, table: Table) -> tuple[str, ...]:
        given: object = table.width if table.names is None else table.names
        found = self._names.get(given)
        if found is None:
            if table.names is not None:
                found = column_names(table.names)
            else:
                features = self._features[: table.width]
                found = column_names((*features, *[""] * (table.width - len(features))))
            if (len(self._names) + 1) * len(found) > MAX_PLANNED_COLUMNS:
                self._names.clear()
            self._names[given] = found
        return found

    def _describe(self, columns: tuple[tuple[str, str], ...], layout: str) -> Descriptor:
        """The descriptor, one object for equal columns: rows differ most in where they have no value."""
        found = self._descriptors.get((columns, layout))
        if found is None:
            found = Descriptor(self._key, Schema(columns), layout)
            if (len(self._descriptors) + 1) * len(columns) > MAX_PLANNED_COLUMNS:
                self._descriptors.clear()
            self._descriptors[columns, layout] = found
        return found

    def _learn(self, columns: Iterable[tuple[str, str]]) -> None:
        """Remember types; what was planned under others is planned anew. A float column stays one."""
        changed = {
            name: kind
            for name, kind in columns
            if kind not in (NULL, self._types.get(name)) and (kind, self._types.get(name)) != (INT64, FLOAT64)
        }
        if changed:
            if len(self._types) > MAX_KNOWN_COLUMNS:
                self._types.clear()
            self._types.update(changed)
            self._plans.clear()

    def _know(self, table: Table) -> None:
        """Remember the keys of dicts, so that later ones that lack some are padded."""
        if table.names is not None and len(self.known) + len(table.names) <= MAX_KNOWN_COLUMNS:
            self.known.update(dict.fromkeys(table.names))


def emptied(table: Table, columns: tuple[int, ...]) -> Table:
    """The table, with null in those of the columns that hold nothing but NaN."""
    if isinstance(table, Parts):
        return table
    rows, cells, types = table.rows, _cells(table), list(table.types)
    for place in columns:
        if all(cell is None or cell != cell for cell in cells[place * rows : (place + 1) * rows]):
            cells[place * rows : (place + 1) * rows] = [None] * rows
            types[place] = NULL
    return Cells(rows, tuple(types), cells, table.names, table.carried) if NULL in types else table


def _cells(table: Block | Cells) -> list[Any]:
    if type(table) is Cells:
        return list(table.cells)
    values, width = block_values(table.layout, table.payload()), table.width
    return [cell for place in range(width) for cell in values[place::width]]


def _exact(table: Cells, columns: tuple[int, ...]) -> bool:
    rows, cells = table.rows, table.cells
    return all(exact(value) for place in columns for value in cells[place * rows : (place + 1) * rows])


def _feature_names(given: Iterable[object] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return column_names([given] if isinstance(given, str) else islice(given, MAX_COLUMNS))

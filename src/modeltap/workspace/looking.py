"""A look at rows: finds the collection that is meant, reads some rows of one day, joins another designation.

Promises: never guesses between two services or models, it says which there are; versions are told apart
by the newest rows. A row without a partner stays without one: never a wrong join.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from modeltap.core.schema import Schema
from modeltap.errors import SettingsError
from modeltap.services.schemas import read_schema
from modeltap.stores.base import Info, Store
from modeltap.workspace.listing import Listed, list_collections
from modeltap.workspace.rows import Row, first_rows, join_rows, last_rows

_JOINING = ("$Timestamp", "$RequestId", "$HostRequestId", "$CorrelationId", "$Row", "$SamplePercent")
"""Said once for a joined row: by the row that came first."""
_PARTS = (("workspace", "--workspace", 0, 3), ("service", "--service", 3, 4), ("model", "the model's name", 4, 5))
"""What must be one, how it is said, and where it stands in a key's parts."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to look at; None leaves it open."""

    workspace: tuple[str, str, str] | None = None
    service: str | None = None
    model: str | None = None
    version: str | None = None
    designation: str | None = None
    day: date | None = None
    rows: int = 10
    last: bool = False
    join: str | None = None


@dataclass(frozen=True)
class Look:
    """What there is to see: a title, and rows as column and text."""

    title: str
    rows: list[Row]


def look(store: Store, wish: Wish) -> Look:
    """Read the rows that are wished for.

    Raises:
        SettingsError: nothing fits the wish, or several services or models do.
    """
    fitting = _fitting(store, wish)
    chosen = _choose(store, fitting, wish)
    day = wish.day or chosen.days[-1]
    infos = _files(chosen, day)
    if not infos:
        raise SettingsError(f"reading {_name(chosen)}: no rows on {day}; there are rows on {_some(chosen.days)}")
    rows = (last_rows if wish.last else first_rows)(store, infos, wish.rows)
    title = f"{_name(chosen)}, {day}"
    if wish.join:
        partner = _partner(fitting, chosen, wish.join)
        rows = _joined(rows, join_rows(store, rows, _files(partner, day)), chosen.key.designation, wish.join)
        title += f", joined with {wish.join}"
    return Look(title, rows)


def newest_file(store: Store, wish: Wish) -> tuple[Schema | None, str]:
    """The schema of the newest file that is wished for (None when nobody wrote it down), and where it stands.

    Raises:
        SettingsError: nothing fits the wish, or several services or models do.
    """
    chosen = _choose(store, _fitting(store, wish), wish)
    info = _files(chosen, chosen.days[-1])[-1]
    schema_id = info.metadata.get("schema")
    schema = read_schema(store, chosen.key, schema_id) if schema_id else None
    return schema, f"{store.url.removeprefix('file://')}/{info.path}"


def _fitting(store: Store, wish: Wish) -> list[Listed]:
    return [found for found in list_collections(store, wish.workspace).collections if _fits(found, wish)]


def _fits(found: Listed, wish: Wish) -> bool:
    asked = (wish.service, wish.model, wish.version)
    return all(
        wanted is None or wanted == part
        for wanted, part in zip(asked, (found.key.service, found.key.model, found.key.version), strict=True)
    )


def _choose(store: Store, fitting: Sequence[Listed], wish: Wish) -> Listed:
    if not fitting:
        raise SettingsError(f"reading rows: nothing in {store.url} fits; see `modeltap ls`")
    for part, option, first, end in _PARTS:
        names = sorted({"/".join(found.key.parts[first:end]) for found in fitting})
        if len(names) > 1:
            raise SettingsError(f"reading rows: several {part}s fit ({_some(names)}); say which with {option}")
    designations = sorted({found.key.designation for found in fitting})
    designation = wish.designation or ("inputs" if "inputs" in designations else designations[0])
    candidates = [found for found in fitting if found.key.designation == designation]
    if not candidates:
        raise SettingsError(f"reading rows: no designation {designation!r}; there are {_some(designations)}")
    return max(candidates, key=lambda found: found.last_row)


def _partner(fitting: Iterable[Listed], chosen: Listed, designation: str) -> Listed:
    key = replace(chosen.key, designation=designation)
    for found in fitting:
        if found.key == key:
            return found
    raise SettingsError(f"joining {_name(chosen)}: the model has no designation {designation!r}; see `modeltap ls`")


def _joined(rows: Sequence[Row], partners: Sequence[Row | None], own: str, other: str) -> list[Row]:
    result = []
    for row, partner in zip(rows, partners, strict=True):
        joined = {name if name in _JOINING else f"{own}.{name}": cell for name, cell in row.items()}
        joined |= {f"{other}.{name}": cell for name, cell in (partner or {}).items() if name not in _JOINING}
        result.append(joined)
    return result


def _files(found: Listed, day: date) -> list[Info]:
    return [info for at, info in found.files if at == day]


def _name(found: Listed) -> str:
    return "/".join(found.key.parts[3:])


def _some(names: Sequence[object]) -> str:
    shown = ", ".join(str(name) for name in names[-5:])
    return f"... {shown}" if len(names) > 5 else shown

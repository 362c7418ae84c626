"""A collection key names where rows stand: who served which model, and what is collected.

The path is the original's documented one, with two-digit months and days::

    modeldata/<subscription>/<resource group>/<workspace>/<service>/<model>/<version>/<designation>/<yyyy>/<mm>/<dd>/data.csv
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

from modeltap.core.names import decode_part, encode_part
from modeltap.errors import SettingsError

EPOCH = date(1970, 1, 1)
DATA_TREE = "modeldata"
LOSS_TREE = "modeltap/losses"
"""Rows that were offered and not kept, counted by reason; the same files, beside the data."""
TRIAL_TREE = "modeltap/doctor"
"""Rows that modeltap sends itself to see whether they arrive; beside the data, so that no reader meets them."""
TREES = (DATA_TREE, LOSS_TREE, TRIAL_TREE)


def workspace_parts(text: str) -> tuple[str, str, str]:
    """Split ``<subscription>/<resource group>/<workspace>``; missing parts are ``default``."""
    parts = [part for part in text.strip("/").split("/") if part]
    if len(parts) > 3:
        raise SettingsError(
            f"reading the workspace {text!r}: it has {len(parts)} parts; write <subscription>/<resource group>/<workspace>"
        )
    padded = (*parts, "default", "default", "default")
    return padded[0], padded[1], padded[2]


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The UTC day of a day number."""
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True)
class CollectionKey:
    """The identity of one collection: every row of it has the same parts."""

    subscription: str
    resource_group: str
    workspace: str
    service: str
    model: str
    version: str
    designation: str
    tree: str = DATA_TREE

    @property
    def parts(self) -> tuple[str, ...]:
        """The seven names in path order."""
        return (
            self.subscription,
            self.resource_group,
            self.workspace,
            self.service,
            self.model,
            self.version,
            self.designation,
        )

    @property
    def label(self) -> str:
        """``<model>/<version>/<designation>``, for counters and people."""
        return f"{self.model}/{self.version}/{self.designation}"

    @classmethod
    def of(cls, parts: Sequence[str], tree: str = DATA_TREE) -> CollectionKey:
        """The key of seven names in path order."""
        subscription, resource_group, workspace, service, model, version, designation = parts
        return cls(subscription, resource_group, workspace, service, model, version, designation, tree)

    def in_tree(self, tree: str) -> CollectionKey:
        """The same names in another tree of the store."""
        return replace(self, tree=tree)

    @cached_property
    def folder(self) -> str:
        """``<sub>/<rg>/<ws>/<service>/<model>/<version>/<designation>``, each part encoded.

        Raises:
            NameRefused: a part is empty or too long.
        """
        return "/".join(encode_part(part) for part in self.parts)

    def day_folder(self, day: date) -> str:
        """The folder of one UTC day in the store."""
        return f"{self.tree}/{self.folder}/{day.isoformat().replace('-', '/')}"

    def data_file(self, day: date, number: int = 0) -> str:
        """``data.csv`` of a day, or ``data-<number>.csv`` for its further schemas."""
        name = f"data-{number}.csv" if number else "data.csv"
        return f"{self.day_folder(day)}/{name}"


def key_of_path(path: str) -> tuple[CollectionKey, date, int] | None:
    """Read (key, day, file number) back from a data file's path; None for any other path."""
    for tree in TREES:
        parts = path.removeprefix(tree + "/").split("/")
        if len(parts) != 11 or not all(parts) or not path.startswith(tree + "/"):
            continue
        number, day = file_number(parts[10]), _day_of_parts(parts[7:10])
        if number is None or day is None:
            return None
        try:
            return CollectionKey.of([decode_part(part) for part in parts[:7]], tree), day, number
        except UnicodeDecodeError:
            return None
    return None


def _day_of_parts(parts: Sequence[str]) -> date | None:
    """The day of ``yyyy``, ``mm``, ``dd``."""
    if [len(part) for part in parts] != [4, 2, 2] or not "".join(parts).isascii():
        return None
    if not "".join(parts).isdigit():
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def file_number(name: str) -> int | None:
    """0 for ``data.csv``, k for ``data-<k>.csv``, None for any other name."""
    if name == "data.csv":
        return 0
    digits = name.removeprefix("data-").removesuffix(".csv")
    is_ours = digits.isascii() and digits.isdigit() and name == f"data-{int(digits)}.csv"
    return int(digits) if is_ours and digits != "0" else None

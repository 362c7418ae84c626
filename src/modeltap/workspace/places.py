"""Where folders really are: which file system holds them, and whether it outlives this container."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

MOUNTS = "/proc/self/mounts"
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs"})
_MEMORY = frozenset({"tmpfs", "ramfs"})
_CONTAINER_LAYER = frozenset({"overlay", "aufs"})
_OCTAL = re.compile(r"\\([0-7]{3})")


class Place(NamedTuple):
    """The file system behind a path.

    Attributes:
        kind: its type as the kernel names it, or empty where that is not known.
        mount_point: where it is mounted.
    """

    kind: str
    mount_point: str

    @property
    def is_network(self) -> bool:
        """Locks and durability depend on a server; FUSE may be anything."""
        return self.kind in _NETWORK or (self.kind.startswith("fuse") and self.kind != "fuseblk")

    @property
    def is_memory(self) -> bool:
        """Ends with the machine, or with the container that it was made for."""
        return self.kind in _MEMORY

    @property
    def is_container_layer(self) -> bool:
        """Ends with the container (outside of one: with the live system that it carries)."""
        return self.kind in _CONTAINER_LAYER


def place_of(path: str, mounts: str | None = None) -> Place:
    """The file system of a path, which need not exist yet.

    Args:
        path: any path.
        mounts: the text of ``/proc/self/mounts``; None reads it, and where there is none nothing is known.
    """
    table = _read_mounts() if mounts is None else mounts
    resolved = os.path.realpath(path)
    best = Place("", "")
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount_point, kind = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[1]), fields[2]
        # a later mount on the same point hides an earlier one
        if _is_below(resolved, mount_point) and len(mount_point) >= len(best.mount_point):
            best = Place(kind, mount_point)
    return best


def _is_below(path: str, mount_point: str) -> bool:
    return mount_point in {"/", path} or path.startswith(mount_point + "/")


def _read_mounts() -> str:
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""

"""The folder of a local store: where each path stands, with which rights, and that its name is durable.

Promises: nothing outside the folder is touched, and symbolic links below it are not followed. The folder's
own mode decides who may use the store: files and folders get its bits, whatever the umask, without writing
for others. A folder that modeltap makes is 0700, its files 0600.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from modeltap.errors import StoreDenied
from modeltap.stores.disk import Disk
from modeltap.stores.paths import POSITIONS, check_path
from modeltap.stores.position import SUFFIX

PRIVATE_MODE = 0o700


class Place(NamedTuple):
    """Where a path stands.

    Attributes:
        path: in the store.
        data: the full name of its file.
        position: the full name of its position file, if it is a data file.
        thing: what messages call it.
    """

    path: str
    data: str
    position: str
    thing: str


class Tree:
    """The folder of a local store."""

    def __init__(self, root: str, url: str, disk: Disk) -> None:
        self.root = root
        self._url = url
        self._disk = disk
        self._positions = f"{root}{os.sep}{POSITIONS.replace('/', os.sep)}{os.sep}"

    def place(self, path: str) -> Place:
        """Find where a path stands.

        Raises:
            StoreRefused: no store could take the path.
            StoreDenied: a folder on the way is a symbolic link.
        """
        place = self.place_of_listed(check_path(path))
        self.refuse_links(path.rpartition("/")[0])
        return place

    def place_of_listed(self, path: str) -> Place:
        """The same for a path that was found by walking the tree."""
        # Text behind the root, never os.path.join: no part, whatever it says, leads out of the root.
        below = path.replace("/", os.sep)
        data, position = f"{self.root}{os.sep}{below}", f"{self._positions}{below}{SUFFIX}"
        return Place(path, data, position, f"{path} in {self._url}")

    def refuse_links(self, folder: str) -> None:
        """Raise StoreDenied when a folder's path, as the store knows it, has a symbolic link in it."""
        full = self.root
        for part in folder.split("/") if folder else ():
            full = f"{full}{os.sep}{part}"
            try:
                mode = os.lstat(full).st_mode
            except (FileNotFoundError, NotADirectoryError):
                return
            if stat.S_ISLNK(mode):
                raise StoreDenied(
                    f"using {folder} in {self._url}: {full} is a symbolic link; links below the store's folder are "
                    "not followed, move the folder itself instead"
                )

    def modes(self) -> tuple[int, int]:
        """The modes of a new folder and of a new file."""
        try:
            found = os.stat(self.root).st_mode
        except FileNotFoundError:
            found = stat.S_IFDIR | PRIVATE_MODE
        if not stat.S_ISDIR(found):
            raise StoreDenied(f"opening the store {self._url}: it is not a folder; set MODELTAP_STORE to a folder")
        mode = stat.S_IMODE(found)
        return mode & 0o2775 | 0o700, mode & 0o664 | 0o600

    def make_parents(self, full: str) -> str:
        """Make the folders above a file; gives the lowest that was there before."""
        missing: list[str] = []
        there = os.path.dirname(full)
        while not os.path.isdir(there):
            missing.append(there)
            there = os.path.dirname(there)
        for folder in reversed(missing):
            if not self._disk.make_folder(folder, self.modes()[0]) and not os.path.isdir(folder):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return there

    def sync_parents(self, full: str, there: str) -> None:
        """Make a new file's name durable, with every folder above it.

        All up to the root, not only those that this process made: another one may have made them a moment
        ago, and not synced them yet.

        Args:
            full: the name of the file.
            there: what ``make_parents`` gave.
        """
        highest = min(there, self.root, key=len)
        folder = os.path.dirname(full)
        self._disk.sync_folder(folder)
        while folder != highest:
            folder = os.path.dirname(folder)
            self._disk.sync_folder(folder)

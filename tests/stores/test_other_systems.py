"""Systems that lack what Linux has: a folder can be read there, and says why it cannot be written."""

from __future__ import annotations

from modeltap.stores.local import LocalStore
from support.pythons import python

SCRIPT = """
import os, sys
sys.modules["fcntl"] = None
for name in ("pread", "pwrite", "register_at_fork", "fchmod", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"):
    delattr(os, name)
from modeltap.errors import StoreDenied
from modeltap.stores.urls import open_store
store = open_store(sys.argv[1])
print([info.size for info in store.list("")], store.read("modeldata/data.csv"), store.read("modeldata/data.csv", 1, 2))
for write in (
    lambda: store.put("modeltap/store.json", b"{}"),
    lambda: store.create("modeldata/data-1.csv", b"b", {}),
    lambda: store.append("modeldata/data.csv", b"2", position=6, batch_id="b"),
):
    try:
        write()
    except StoreDenied as error:
        print(error)
"""


def test_a_folder_is_read_where_there_are_no_file_locks_and_writing_says_so(tmp_path):
    store = LocalStore(str(tmp_path))
    store.create("modeldata/data.csv", b"a\r\n", {})
    store.append("modeldata/data.csv", b"1\r\n", position=3, batch_id="a")

    ended = python(SCRIPT, str(tmp_path))

    assert ended.code == 0, ended.err
    read, *denied = ended.out.splitlines()
    assert read == r"[6] b'a\r\n1\r\n' b'\r\n'"
    assert len(denied) == 3
    assert all("this system has no file locks, so a folder can be read but not written" in line for line in denied)
    assert store.read("modeldata/data.csv") == b"a\r\n1\r\n"

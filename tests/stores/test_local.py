"""What is special about a folder: other people's files, dead writers, rights, links, limits."""

from __future__ import annotations

import os
import shutil
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from modeltap.core.key import CollectionKey
from modeltap.errors import Conflict, StoreDenied, StoreRefused
from modeltap.stores.local import LocalStore
from modeltap.stores.tree import PRIVATE_MODE
from modeltap.testing import FaultyDisk
from support.pythons import python
from support.users import open_folder, ordinary_user

PATH = "modeldata/day/data.csv"
HEADER, ROWS = b"a,b\r\n", b"1,2\r\n3,4\r\n"


@pytest.fixture
def store(tmp_path):
    return LocalStore(str(tmp_path))


def record_of(folder: Path, path: str = PATH) -> Path:
    return folder / "modeltap" / "positions" / f"{path}.pos"


# ---------------------------------------------------------------- other people's files


@pytest.fixture
def foreign(tmp_path):
    """A data.csv that the original wrote, or that somebody copied."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).write_bytes(b"$Timestamp,a\n1,2\n")
    return tmp_path / PATH


def test_a_foreign_file_is_read_as_a_whole_and_has_no_metadata(store, foreign):
    info = store.head(PATH)

    assert (info.size, dict(info.metadata)) == (17, {})
    assert list(store.list("modeldata/")) == [info]
    assert store.read(PATH) == b"$Timestamp,a\n1,2\n"
    assert store.holds(PATH, position=13, length=4, sha256=sha256(b"1,2\n").hexdigest(), batch_id="a")


def test_a_foreign_file_is_never_changed(store, foreign):
    with pytest.raises(Conflict, match="17 bytes stand there"):
        store.create(PATH, HEADER, {})
    with pytest.raises(Conflict, match="not made by modeltap"):
        store.append(PATH, ROWS, position=17, batch_id="a")

    assert foreign.read_bytes() == b"$Timestamp,a\n1,2\n"
    assert not record_of(foreign.parents[2]).exists()


def test_a_foreign_file_that_grows_has_another_etag(store, foreign):
    before = store.head(PATH).etag
    with foreign.open("ab") as file:
        file.write(b"3,4\n")

    assert store.head(PATH).etag != before
    assert store.read(PATH, 17) == b"3,4\n"


def test_a_copied_tree_without_its_records_is_read_and_left_alone(tmp_path):
    first = LocalStore(str(tmp_path / "first"))
    first.create(PATH, HEADER, {"schema": "x"})
    first.append(PATH, ROWS, position=5, batch_id="a")
    shutil.copytree(tmp_path / "first" / "modeldata", tmp_path / "copy" / "modeldata")
    copy = LocalStore(str(tmp_path / "copy"))

    assert copy.read(PATH) == HEADER + ROWS
    assert copy.head(PATH).metadata == {}
    with pytest.raises(Conflict):
        copy.append(PATH, ROWS, position=15, batch_id="b")


def test_a_tree_that_was_copied_with_its_records_goes_on(tmp_path):
    first = LocalStore(str(tmp_path / "first"))
    first.create(PATH, HEADER, {"schema": "x"})
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    copy = LocalStore(str(tmp_path / "copy"))

    copy.append(PATH, ROWS, position=5, batch_id="a")

    assert copy.head(PATH).metadata == {"schema": "x"}
    assert (copy.read(PATH), first.read(PATH)) == (HEADER + ROWS, HEADER)


def test_an_empty_file_is_absent_and_may_be_made(store, tmp_path):
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).touch()

    assert store.head(PATH) is None
    assert list(store.list("")) == []
    assert store.create(PATH, HEADER, {}).size == 5


def test_a_file_that_somebody_put_in_the_place_of_one_in_the_making_is_not_touched(store, tmp_path):
    """A creator died before it made the data file; then a file was copied to that place."""
    store.create(PATH, HEADER, {})
    empty = record_of(tmp_path).read_bytes()[:64] + bytes(2048) + record_of(tmp_path).read_bytes()[2112:]
    record_of(tmp_path).write_bytes(empty)
    (tmp_path / PATH).write_bytes(b"other rows\n")

    assert store.read(PATH) == b"other rows\n"
    with pytest.raises(Conflict):
        store.create(PATH, HEADER, {})
    assert (tmp_path / PATH).read_bytes() == b"other rows\n"


def test_a_file_that_somebody_puts_there_while_one_is_being_made_is_not_touched(tmp_path):
    class Meddling(FaultyDisk):
        """Somebody copies a file to the place just before modeltap makes it."""

        def make_file(self, path, mode, *, exclusive):
            if path == str(tmp_path / PATH):
                Path(path).write_bytes(b"other rows\n")
            return super().make_file(path, mode, exclusive=exclusive)

    with pytest.raises(Conflict, match="somebody made it first"):
        LocalStore(str(tmp_path), disk=Meddling()).create(PATH, HEADER, {})
    assert (tmp_path / PATH).read_bytes() == b"other rows\n"


# ---------------------------------------------------------------- dead writers and damage


@pytest.fixture
def shipped(store):
    store.create(PATH, HEADER, {"schema": "x"})
    store.append(PATH, ROWS, position=5, batch_id="a")
    return store


@pytest.mark.parametrize("tail", [b"7", b"7,8\r\n", b"5,6\r\n9", b"x" * 100_000], ids=len)
def test_a_torn_tail_of_a_dead_writer_is_not_seen_and_is_cut_by_the_next(shipped, tmp_path, tail):
    with (tmp_path / PATH).open("ab") as file:
        file.write(tail)

    assert shipped.head(PATH).size == 15
    assert shipped.read(PATH) == HEADER + ROWS
    assert shipped.read(PATH, 10, 1000) == b"3,4\r\n"
    assert [info.size for info in shipped.list("")] == [15]
    assert not shipped.holds(PATH, position=15, length=len(tail), sha256=sha256(tail).hexdigest(), batch_id="b")

    shipped.append(PATH, b"5,6\r\n", position=15, batch_id="b")
    assert (tmp_path / PATH).read_bytes() == HEADER + ROWS + b"5,6\r\n"


def test_a_file_that_somebody_cut_is_somebody_else_s_from_then_on(shipped, tmp_path):
    os.truncate(tmp_path / PATH, 12)

    assert (shipped.head(PATH).size, shipped.head(PATH).metadata) == (12, {})
    with pytest.raises(Conflict):
        shipped.append(PATH, ROWS, position=12, batch_id="b")
    with pytest.raises(Conflict):
        shipped.create(PATH, HEADER, {})
    assert (tmp_path / PATH).read_bytes() == (HEADER + ROWS)[:12]


@pytest.mark.parametrize("damage", [b"", b"MODELPOS", bytes(3000)], ids=["empty", "cut", "zeros"])
def test_a_file_whose_record_is_damaged_is_read_and_never_changed(shipped, tmp_path, damage):
    record_of(tmp_path).write_bytes(damage)

    assert shipped.read(PATH) == HEADER + ROWS
    assert shipped.head(PATH).metadata == {}
    for write in (
        lambda: shipped.append(PATH, ROWS, position=15, batch_id="b"),
        lambda: shipped.create(PATH, HEADER, {}),
    ):
        with pytest.raises(Conflict):
            write()
    assert (tmp_path / PATH).read_bytes() == HEADER + ROWS


def test_a_data_file_that_somebody_removed_is_absent_and_may_be_made_again(shipped, tmp_path):
    etag = shipped.head(PATH).etag
    (tmp_path / PATH).unlink()

    assert shipped.head(PATH) is None
    assert not shipped.holds(PATH, position=5, length=10, sha256=sha256(ROWS).hexdigest(), batch_id="a")
    with pytest.raises(Conflict, match="not there"):
        shipped.append(PATH, ROWS, position=15, batch_id="b")
    shipped.create(PATH, HEADER, {"schema": "y"})
    info = shipped.append(PATH, ROWS, position=5, batch_id="a")
    assert (info.size, info.metadata) == (15, {"schema": "y"})
    assert info.etag != etag


def test_a_store_whose_folder_was_removed_begins_again(shipped, tmp_path):
    shutil.rmtree(tmp_path)

    assert list(shipped.list("")) == []
    assert shipped.create(PATH, HEADER, {}).size == 5


# ---------------------------------------------------------------- rights


def modes_in(folder: Path) -> set[tuple[str, int]]:
    return {("folder" if path.is_dir() else "file", stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_missing_folder_is_made_by_the_first_write_for_its_owner_alone(tmp_path, umask):
    folder = tmp_path / "data" / "modeltap"
    store = LocalStore(str(folder))
    assert list(store.list("")) == []
    assert store.head(PATH) is None
    assert not folder.exists()

    before = os.umask(umask)
    try:
        store.create(PATH, HEADER, {})
        store.put("modeltap/store.json", b"{}")
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == PRIVATE_MODE
    assert modes_in(folder) == {("folder", 0o700), ("file", 0o600)}


@pytest.mark.parametrize(
    ("mode", "folders", "files"),
    [(0o750, 0o750, 0o640), (0o2770, 0o2770, 0o660), (0o755, 0o755, 0o644), (0o1777, 0o775, 0o664)],
    ids=oct,
)
def test_a_folder_hands_its_rights_on_but_never_writing_for_all(tmp_path, mode, folders, files):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    before = os.umask(0o077)
    try:
        LocalStore(str(folder)).create(PATH, HEADER, {})
        LocalStore(str(folder)).put("modeltap/store.json", b"{}")
    finally:
        os.umask(before)

    assert modes_in(folder) == {("folder", folders), ("file", files)}


def test_a_folder_without_the_right_to_write_is_denied_and_can_be_read():
    with open_folder() as folder:
        folder.joinpath("store").mkdir(mode=0o755)
        store = LocalStore(str(folder / "store"))
        store.create(PATH, HEADER, {})
        store.append(PATH, ROWS, position=5, batch_id="a")
        store.put("modeltap/store.json", b"{}")
        for path in (folder / "store").rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        (folder / "store").chmod(0o555)
        with ordinary_user():
            for write in (
                lambda: store.append(PATH, ROWS, position=15, batch_id="b"),
                lambda: store.create("modeldata/day/data-1.csv", HEADER, {}),
                lambda: store.create("modeldata/new/day/data.csv", HEADER, {}),
                lambda: store.put("modeltap/store.json", b"{}"),
                lambda: store.put("modeltap/new/x.json", b"{}", if_match=""),
                lambda: LocalStore(str(folder / "missing")).put("x", b"{}"),
            ):
                with pytest.raises(StoreDenied, match=r"Permission denied; give this user the right to write there"):
                    write()
            assert store.read(PATH) == HEADER + ROWS
            assert len(list(store.list(""))) == 2


def test_a_folder_without_the_right_to_read_is_denied_and_not_empty():
    with open_folder() as folder:
        store = LocalStore(str(folder / "store"))
        store.create(PATH, HEADER, {})
        with ordinary_user():
            for read in (lambda: store.head(PATH), lambda: store.read(PATH), lambda: list(store.list(""))):
                with pytest.raises(StoreDenied, match="Permission denied"):
                    read()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    store = LocalStore(str(tmp_path / "file"))

    assert store.head(PATH) is None
    for write in (lambda: store.create(PATH, HEADER, {}), lambda: store.put("a/b.json", b"{}")):
        with pytest.raises(StoreDenied, match="it is not a folder; set MODELTAP_STORE to a folder"):
            write()


# ---------------------------------------------------------------- links and things that are no files


def test_links_below_the_folder_are_not_followed(shipped, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_bytes(b"secret\n")
    (tmp_path / "modeldata" / "link").symlink_to(outside)
    (tmp_path / "modeldata" / "link.csv").symlink_to(outside / "secret.csv")
    (tmp_path / "modeldata" / "loop").symlink_to(tmp_path / "modeldata")

    assert [info.path for info in shipped.list("")] == [PATH]
    for verb in (
        lambda: shipped.head("modeldata/link/secret.csv"),
        lambda: shipped.read("modeldata/link/secret.csv"),
        lambda: shipped.put("modeldata/link/x.json", b"{}"),
        lambda: shipped.create("modeldata/link/new/data.csv", HEADER, {}),
        lambda: list(shipped.list("modeldata/link/")),
    ):
        with pytest.raises(StoreDenied, match="symbolic link"):
            verb()
    assert shipped.head("modeldata/link.csv") is None
    with pytest.raises(Conflict):
        shipped.append("modeldata/link.csv", ROWS, position=7, batch_id="a")
    for write in (
        lambda: shipped.put("modeldata/link.csv", b"x"),
        lambda: shipped.create("modeldata/link.csv", HEADER, {}),
    ):
        with pytest.raises(StoreRefused, match="no plain file"):
            write()
    assert os.listdir(outside) == ["secret.csv"]
    assert (outside / "secret.csv").read_bytes() == b"secret\n"


def test_a_linked_folder_of_records_is_not_written_to(tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (tmp_path / "modeltap").mkdir()
    (tmp_path / "modeltap" / "positions").symlink_to(outside)

    with pytest.raises(StoreDenied, match="symbolic link"):
        LocalStore(str(tmp_path)).create(PATH, HEADER, {})
    assert os.listdir(outside) == []


def test_the_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    store = LocalStore(str(tmp_path / "store"))

    store.create(PATH, HEADER, {})

    assert (tmp_path / "disk" / PATH).read_bytes() == HEADER


def test_folders_and_pipes_in_the_place_of_files_stop_nobody(store, tmp_path):
    (tmp_path / "modeldata" / "folder.csv").mkdir(parents=True)
    os.mkfifo(tmp_path / "modeldata" / "pipe.csv")

    for path in ("modeldata/folder.csv", "modeldata/pipe.csv"):
        assert store.head(path) is None
        with pytest.raises(Conflict):
            store.read(path)
        with pytest.raises(Conflict):
            store.append(path, ROWS, position=0, batch_id="a")
        for write in (lambda path=path: store.create(path, HEADER, {}), lambda path=path: store.put(path, b"x")):
            with pytest.raises(StoreRefused, match="no plain file"):
                write()
    assert list(store.list("")) == []


def test_a_file_in_the_place_of_a_folder_is_refused(shipped):
    for write in (lambda: shipped.create(f"{PATH}/x", HEADER, {}), lambda: shipped.put(f"{PATH}/x", b"x")):
        with pytest.raises(StoreRefused, match="move away"):
            write()
    assert shipped.head(f"{PATH}/x") is None


def test_names_that_no_path_has_are_passed_over(shipped, tmp_path):
    (tmp_path / "modeldata" / "back\\slash.csv").write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path / "modeldata") + b"/not-utf8-\xff.csv")).write_text("x")
    (tmp_path / "modeldata" / ".modeltap-put").write_text("left by a dead writer")

    assert [info.path for info in shipped.list("")] == [PATH]


# ---------------------------------------------------------------- limits


def test_the_longest_names_that_a_key_gives_fit(store):
    key = CollectionKey(*["n" * 255] * 7)
    with pytest.raises(StoreRefused, match="File name too long"):
        store.create("n" * 256 + "/data.csv", HEADER, {})
    path = f"modeldata/{key.folder}/2026/11/22/data-31.csv"

    store.create(path, HEADER, {})
    store.append(path, ROWS, position=5, batch_id="a")

    assert store.read(path) == HEADER + ROWS


def test_a_disk_that_takes_half_of_a_batch_is_asked_to_take_the_rest_and_then_told_on():
    """A limit on file sizes gives a real short write, then a real error."""
    script = """
import resource, sys, tempfile
from pathlib import Path
from modeltap.errors import StoreUnavailable
from modeltap.stores.local import LocalStore
with tempfile.TemporaryDirectory() as folder:
    store = LocalStore(folder)
    store.create("data.csv", b"a\\r\\n", {})
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        store.append("data.csv", b"x" * 150_000, position=3, batch_id="a")
    except StoreUnavailable as error:
        print(error)
    print(store.read("data.csv"), Path(folder, "data.csv").stat().st_size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(store.append("data.csv", b"x" * 150_000, position=3, batch_id="a").size)
"""
    ended = python(script)

    assert ended.code == 0, ended.err
    said, read, size = ended.out.splitlines()
    assert "appending to data.csv in file://" in said
    assert "raise the limit on file sizes" in said
    assert read == "b'a\\r\\n' 3"
    assert size == "150003"


def test_hundreds_of_appends_leave_no_more_than_two_files(store, tmp_path):
    size = store.create(PATH, HEADER, {}).size
    for number in range(300):
        size = store.append(PATH, b"%d,x\r\n" % number, position=size, batch_id=str(number)).size

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == sorted([tmp_path / PATH, record_of(tmp_path)])
    assert record_of(tmp_path).stat().st_size < 4096

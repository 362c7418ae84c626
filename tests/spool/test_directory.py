"""The spool directory: private by mode, one for each store and user, refused when it is anybody else's."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from modeltap.errors import FormatTooNew, SpoolRefused
from modeltap.spool.directory import (
    SpoolDirectory,
    _make_private,
    publish_document,
    read_document,
)
from modeltap.spool.locks import FileLock, is_locked
from modeltap.spool.progress import request_flush
from support.users import NOBODY, open_folder, ordinary_user

STORE = "/srv/data"
FOLDERS = ("segments", "writers", "intents", "quarantine")


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request, tmp_path):  # after the test has its folder
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path | str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def a_group() -> int:
    """A group that this process may give its folders to."""
    return os.getgroups()[-1] if os.getgroups() else os.getgid()


# ---- modes


def test_folders_and_documents_are_the_owners_alone_whatever_the_umask(tmp_path, umask):
    spool = SpoolDirectory.open(str(tmp_path / "spool"), STORE)

    assert (spool.directory_mode, spool.file_mode) == (0o700, 0o600)
    assert mode_of(tmp_path / "spool") == 0o700
    assert {mode_of(spool.path), *(mode_of(Path(spool.path) / name) for name in FOLDERS)} == {0o700}
    assert mode_of(Path(spool.path) / "spool.json") == 0o600


def test_with_a_group_they_are_shared_with_it_whatever_the_umask(tmp_path, umask):
    spool = SpoolDirectory.open(str(tmp_path / "spool"), STORE, group=str(a_group()))
    folders = [tmp_path / "spool", Path(spool.path), *(Path(spool.path) / name for name in FOLDERS)]

    assert (spool.directory_mode, spool.file_mode) == (0o2770, 0o660)
    assert {mode_of(folder) for folder in folders} == {0o2770}
    assert {os.lstat(folder).st_gid for folder in folders} == {a_group()}
    assert mode_of(Path(spool.path) / "spool.json") == 0o660
    assert os.lstat(Path(spool.path) / "spool.json").st_gid == a_group()


def test_a_spool_opens_again_and_keeps_what_is_in_it(tmp_path):
    first = SpoolDirectory.open(str(tmp_path), STORE)
    (Path(first.segments) / "a.0.seg").write_bytes(b"x")
    before = (Path(first.path) / "spool.json").stat().st_mtime_ns
    second = SpoolDirectory.open(str(tmp_path), STORE)

    assert second.path == first.path
    assert os.listdir(second.segments) == ["a.0.seg"]
    assert (Path(first.path) / "spool.json").stat().st_mtime_ns == before
    assert sorted(os.listdir(second.path)) == sorted([*FOLDERS, "spool.json"])


def test_many_that_open_a_new_spool_at_once_all_find_it(tmp_path):
    failures: list[BaseException] = []
    begin = threading.Barrier(8)

    def open_it(number: int) -> None:
        begin.wait(30)
        try:
            spool = SpoolDirectory.open(str(tmp_path / "spool"), STORE, group=str(a_group()))
            (Path(spool.segments) / f"{number}.0.seg").write_bytes(b"x")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    spool = SpoolDirectory.open(str(tmp_path / "spool"), STORE, group=str(a_group()))
    assert failures == []
    assert len(os.listdir(spool.segments)) == 8
    assert not [name for name in os.listdir(tmp_path / "spool") if name.endswith(".tmp")]


# ---- what is refused


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777, 0o1700, 0o500, 0o2770], ids=oct)
def test_a_folder_of_another_mode_is_refused(tmp_path, mode):
    spool = SpoolDirectory.open(str(tmp_path), STORE)
    for folder in (spool.path, spool.segments):
        os.chmod(folder, mode)
        with pytest.raises(SpoolRefused, match="must be a directory of user"):
            SpoolDirectory.open(str(tmp_path), STORE)
        os.chmod(folder, 0o700)

    assert SpoolDirectory.open(str(tmp_path), STORE).path == spool.path


def test_a_private_spool_is_refused_where_a_shared_one_is_asked_for_and_the_other_way_round(tmp_path):
    SpoolDirectory.open(str(tmp_path / "a"), STORE)
    SpoolDirectory.open(str(tmp_path / "b"), STORE, group=str(a_group()))
    with pytest.raises(SpoolRefused, match="mode 2770"):
        SpoolDirectory.open(str(tmp_path / "a"), STORE, group=str(a_group()))
    with pytest.raises(SpoolRefused, match="mode 700"):
        SpoolDirectory.open(str(tmp_path / "b"), STORE)


@pytest.mark.parametrize("name", ["", *FOLDERS])
def test_a_symlink_in_the_place_of_a_folder_is_refused(tmp_path, name):
    spool = SpoolDirectory.open(str(tmp_path / "root"), STORE)
    folder = Path(spool.path) / name if name else Path(spool.path)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")

    with pytest.raises(SpoolRefused, match="found l"):
        SpoolDirectory.open(str(tmp_path / "root"), STORE)


def test_a_dangling_symlink_and_a_file_are_refused_and_left_alone(tmp_path):
    spool = SpoolDirectory.open(str(tmp_path), STORE)
    os.rmdir(spool.intents)
    os.symlink(tmp_path / "nowhere", spool.intents)
    with pytest.raises(SpoolRefused):
        SpoolDirectory.open(str(tmp_path), STORE)
    os.unlink(spool.intents)
    Path(spool.intents).write_bytes(b"keep")
    with pytest.raises(SpoolRefused):
        SpoolDirectory.open(str(tmp_path), STORE)

    assert Path(spool.intents).read_bytes() == b"keep"
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_another_user_is_refused(tmp_path):
    # An ordinary user cannot give a folder away, but meets folders that are not its own.
    if os.geteuid() == 0:
        folder = tmp_path / "folder"
        folder.mkdir(0o700)
        os.chown(folder, NOBODY, os.getgid())
    else:
        folder = Path("/usr")
    with pytest.raises(SpoolRefused, match="of user"):
        _make_private(str(folder), mode_of(folder), -1)


def test_a_folder_of_another_user_is_taken_when_it_has_the_group(tmp_path):
    folder = tmp_path / "folder" if os.geteuid() == 0 else Path("/usr")
    if os.geteuid() == 0:
        folder.mkdir()
        os.chown(folder, NOBODY, a_group())
        os.chmod(folder, 0o2770)
    _make_private(str(folder), mode_of(folder), os.stat(folder).st_gid)
    with pytest.raises(SpoolRefused):
        _make_private(str(folder), mode_of(folder), os.stat(folder).st_gid + 1)


def test_a_root_that_another_user_made_where_everybody_may_is_refused():
    with open_folder() as everybodys:
        everybodys.chmod(0o1777)
        root = everybodys / "modeltap"
        with ordinary_user():
            root.mkdir()
        if os.geteuid() != 0:  # one's own is fine
            SpoolDirectory.open(str(root), STORE)
            return
        with pytest.raises(SpoolRefused, match="open to everybody"):
            SpoolDirectory.open(str(root), STORE)
        assert os.listdir(root) == []


def test_a_symlink_that_another_user_made_where_everybody_may_is_refused(tmp_path):
    with open_folder() as everybodys:
        everybodys.chmod(0o1777)
        root = everybodys / "modeltap"
        with ordinary_user():
            root.symlink_to(tmp_path)
        if os.geteuid() != 0:
            SpoolDirectory.open(str(root), STORE)
            return
        with pytest.raises(SpoolRefused, match="open to everybody"):
            SpoolDirectory.open(str(root), STORE)
        assert os.listdir(tmp_path) == []


def test_a_root_that_is_there_already_may_have_any_mode(tmp_path):
    root = tmp_path / "volume"
    root.mkdir()
    for mode in (0o777, 0o755, 0o2770):
        root.chmod(mode)
        assert SpoolDirectory.open(str(root), STORE).path
        assert mode_of(root) == mode


def test_folders_above_the_root_are_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert Path(SpoolDirectory.open("a/b/spool", STORE).path).is_dir()
    assert mode_of(tmp_path / "a/b/spool") == 0o700


def test_a_group_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(SpoolRefused, match="no-such-group"):
        SpoolDirectory.open(str(tmp_path), STORE, group="no-such-group")


def test_a_group_can_be_named(tmp_path):
    import grp

    spool = SpoolDirectory.open(str(tmp_path), STORE, group=grp.getgrgid(a_group()).gr_name)

    assert os.lstat(spool.path).st_gid == a_group()


def test_both_users_of_a_shared_spool_lock_ask_and_publish_whatever_their_umask():
    group = NOBODY if os.geteuid() == 0 else a_group()
    before = os.umask(0o077)
    try:
        with open_folder() as folder:
            folder.chmod(0o755)
            spool = SpoolDirectory.open(str(folder / "spool"), STORE, group=str(group))
            use(spool)
            with ordinary_user():
                use(spool)
            use(spool)
            assert read_document(spool.status) == {"a": 1}
    finally:
        os.umask(before)


def use(spool: SpoolDirectory) -> None:
    """What a scoring process and an agent under another user both do."""
    for path in (spool.agent_lock, spool.start_lock):
        lock = FileLock(path, spool.file_mode)
        assert lock.acquire()
        assert is_locked(path)
        lock.close()
    publish_document(spool.status, {"a": 1}, spool.file_mode)
    request_flush(spool)
    assert mode_of(spool.flush) == mode_of(spool.agent_lock) == 0o660


# ---- whose it is


def test_each_store_and_each_user_has_a_spool_of_its_own(tmp_path):
    paths = {SpoolDirectory.open(str(tmp_path), store).path for store in (STORE, "/srv/other", "s3://bucket")}
    paths.add(SpoolDirectory.open(str(tmp_path), STORE, uid=os.getuid() + 1).path)

    assert len(paths) == 4


def test_a_new_key_of_the_same_store_is_the_same_spool(tmp_path):
    urls = [f"https://shop.blob.core.windows.net/logs?sig={secret}" for secret in ("one", "two")]
    first, second = (SpoolDirectory.open(str(tmp_path), url) for url in urls)

    assert first.path == second.path
    assert "one" not in (Path(first.path) / "spool.json").read_text(encoding="utf-8")


def test_the_document_of_a_spool_says_whose_it_is(tmp_path):
    spool = SpoolDirectory.open(str(tmp_path), STORE)

    assert read_document(str(Path(spool.path) / "spool.json")) == {
        "format": 1,
        "store": "file:///srv/data",
        "uid": os.getuid(),
        "hash": spool.hash,
    }


def test_the_spool_of_another_store_is_refused(tmp_path):
    spool, other = (SpoolDirectory.open(str(tmp_path), store) for store in (STORE, "/srv/other"))
    os.replace(Path(other.path) / "spool.json", Path(spool.path) / "spool.json")

    with pytest.raises(SpoolRefused, match="belongs to the store file:///srv/other"):
        SpoolDirectory.open(str(tmp_path), STORE)


def test_a_newer_format_is_refused_and_left_untouched(tmp_path):
    spool = SpoolDirectory.open(str(tmp_path), STORE)
    path = Path(spool.path) / "spool.json"
    document = json.dumps({"format": 2, "hash": "unknown", "more": 1})
    path.write_text(document, encoding="utf-8")

    with pytest.raises(FormatTooNew, match="upgrade modeltap"):
        SpoolDirectory.open(str(tmp_path), STORE)
    assert path.read_text(encoding="utf-8") == document


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_document_never_stops_a_start(tmp_path, content):
    spool = SpoolDirectory.open(str(tmp_path), STORE)
    path = Path(spool.path) / "spool.json"
    path.write_bytes(content)

    assert SpoolDirectory.open(str(tmp_path), STORE).path == spool.path
    assert json.loads(path.read_bytes())["hash"] == spool.hash


def test_a_document_whose_values_are_damaged_is_a_refusal_and_no_other_error(tmp_path):
    spool = SpoolDirectory.open(str(tmp_path), STORE)
    (Path(spool.path) / "spool.json").write_text('{"format": "x", "hash": 7}', encoding="utf-8")

    with pytest.raises(SpoolRefused):
        SpoolDirectory.open(str(tmp_path), STORE)


# ---- documents


def test_a_document_is_put_in_place_whole_with_its_mode(tmp_path, umask):
    path = str(tmp_path / "status.json")
    publish_document(path, {"a": "\u00e9"}, 0o660)
    publish_document(path, {"b": [1, 2]}, 0o660)

    assert read_document(path) == {"b": [1, 2]}
    assert mode_of(path) == 0o660
    assert os.listdir(tmp_path) == ["status.json"]


def test_a_document_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "status.json").mkdir()
    with pytest.raises(OSError):
        publish_document(str(tmp_path / "status.json"), {})

    assert os.listdir(tmp_path) == ["status.json"]


def test_threads_that_publish_at_once_never_mix_their_documents(tmp_path):
    path = str(tmp_path / "status.json")
    failures: list[BaseException] = []

    def publish(number: int) -> None:
        try:
            for _ in range(50):
                publish_document(path, {"number": number, "text": str(number) * 1000})
                found = read_document(path)
                assert found is not None
                assert found["text"] == str(found["number"]) * 1000
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_a_document_that_is_missing_or_no_object_is_none(tmp_path):
    (tmp_path / "list").write_text("[1]", encoding="utf-8")

    assert read_document(str(tmp_path / "nowhere")) is None
    assert read_document(str(tmp_path / "list")) is None
    assert read_document(str(tmp_path)) is None

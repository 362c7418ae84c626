"""Which file system holds a path."""

from __future__ import annotations

import pytest

from modeltap.workspace.places import Place, place_of

MOUNTS = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/sdb1 /data ext4 rw 0 0
server:/share /data/shared nfs4 rw 0 0
bucket /mnt/my\\040bucket fuse.gcsfuse rw 0 0
/dev/sdc1 /twice xfs rw 0 0
tmpfs /twice tmpfs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind", "mount_point"),
    [
        ("/var/lib/x", "overlay", "/"),
        ("/data", "ext4", "/data"),
        ("/data/spool/not/there/yet", "ext4", "/data"),
        ("/database", "overlay", "/"),
        ("/data/shared/x", "nfs4", "/data/shared"),
        ("/mnt/my bucket/x", "fuse.gcsfuse", "/mnt/my bucket"),
        ("/twice/x", "tmpfs", "/twice"),
    ],
)
def test_the_innermost_and_latest_mount_holds_a_path(path, kind, mount_point):
    assert place_of(path, MOUNTS) == Place(kind, mount_point)


def test_a_link_is_followed_to_where_it_leads(tmp_path):
    (tmp_path / "link").symlink_to("/dev/shm")
    assert place_of(str(tmp_path / "link" / "x"), MOUNTS).kind == "tmpfs"


def test_where_nothing_is_known_nothing_is_said():
    place = place_of("/data", "")
    assert (place.kind, place.is_network, place.is_memory, place.is_container_layer) == ("", False, False, False)


def test_kinds_are_told_apart():
    kinds = ("nfs4", "fuse.s3fs", "fuseblk", "tmpfs", "overlay", "ext4")
    assert [kind for kind in kinds if Place(kind, "/").is_network] == ["nfs4", "fuse.s3fs"]
    assert [kind for kind in kinds if Place(kind, "/").is_memory] == ["tmpfs"]
    assert [kind for kind in kinds if Place(kind, "/").is_container_layer] == ["overlay"]


def test_this_machine_answers():
    assert place_of("/proc/self").kind == "proc"

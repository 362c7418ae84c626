"""Data files: made by one, grown batch by batch, each batch once."""

from __future__ import annotations

from hashlib import sha256

import pytest

from modeltap.errors import Conflict, StoreRefused
from modeltap.stores.commits import REMEMBERED

PATH = "modeldata/sub/rg/ws/service/model/1/inputs/2026/11/22/data.csv"
HEADER = b"$Timestamp,$CorrelationId,age\r\n"
METADATA = {"schema": "0123456789abcdef"}
FIRST, SECOND = b"2026-11-22T21:39:52.656442,,31\r\n", b"2026-11-22T21:39:53.000001,,47\r\n"
START = len(HEADER)


def ask(store, data, position, batch_id="a", path=PATH):
    digest = sha256(data).hexdigest()
    return store.holds(path, position=position, length=len(data), sha256=digest, batch_id=batch_id)


@pytest.fixture
def made(store):
    store.create(PATH, HEADER, METADATA)
    return store


def test_a_created_file_holds_its_header_and_its_metadata(store):
    info = store.create(PATH, HEADER, METADATA)

    assert (info.path, info.size, dict(info.metadata)) == (PATH, START, METADATA)
    assert info.etag
    assert store.head(PATH) == info
    assert store.read(PATH) == HEADER


def test_a_missing_file_has_no_head_and_holds_nothing_and_reading_it_is_a_conflict(store):
    assert store.head(PATH) is None
    assert not ask(store, FIRST, START)
    with pytest.raises(Conflict, match=r"reading .*nothing stands there"):
        store.read(PATH)


def test_creating_twice_is_a_conflict_and_changes_nothing(made):
    made.append(PATH, FIRST, position=START, batch_id="a")

    with pytest.raises(Conflict, match="creating"):
        made.create(PATH, b"other\r\n", {})

    assert made.read(PATH) == HEADER + FIRST
    assert made.head(PATH).metadata == METADATA


def test_batches_follow_each_other_and_the_metadata_stay(made):
    info = made.append(PATH, FIRST, position=START, batch_id="a")
    info = made.append(PATH, SECOND, position=info.size, batch_id="b")

    assert info == made.head(PATH)
    assert info.size == len(HEADER + FIRST + SECOND)
    assert info.metadata == METADATA
    assert made.read(PATH) == HEADER + FIRST + SECOND


def test_the_etag_changes_with_every_batch(made):
    etags = [made.head(PATH).etag]
    for number in range(5):
        info = made.append(PATH, FIRST, position=made.head(PATH).size, batch_id=str(number))
        etags.append(info.etag)

    assert len(set(etags)) == 6


def test_a_batch_at_another_position_than_the_committed_size_is_a_conflict(made):
    made.append(PATH, FIRST, position=START, batch_id="a")

    for position in (0, START - 1, START + 1, START + len(FIRST) + 1, 10**9):
        with pytest.raises(Conflict, match=f"{START + len(FIRST)} bytes are committed"):
            made.append(PATH, SECOND, position=position, batch_id="b")

    assert made.read(PATH) == HEADER + FIRST


def test_the_same_batch_again_is_a_no_op(made):
    first = made.append(PATH, FIRST, position=START, batch_id="a")

    assert made.append(PATH, FIRST, position=START, batch_id="a") == first
    assert made.read(PATH) == HEADER + FIRST


def test_the_same_batch_again_behind_later_ones_is_a_no_op(made):
    size = made.append(PATH, FIRST, position=START, batch_id="a").size
    for number in range(REMEMBERED + 5):
        size = made.append(PATH, b"%d\r\n" % number, position=size, batch_id=f"b{number}").size
    before = made.read(PATH)

    assert made.append(PATH, FIRST, position=START, batch_id="a").size == size
    assert made.read(PATH) == before


def test_a_batch_that_is_in_is_in_whatever_position_it_is_sent_to(made):
    """Its intent was recorded anew, with another position, while the first sending was still on its way."""
    info = made.append(PATH, FIRST, position=START, batch_id="a")

    assert ask(made, FIRST, info.size, "a")
    assert made.append(PATH, FIRST, position=info.size, batch_id="a") == info
    assert made.read(PATH) == HEADER + FIRST


def test_an_id_that_was_used_is_not_used_for_other_bytes(made):
    info = made.append(PATH, FIRST, position=START, batch_id="a")

    for other in (SECOND, FIRST[1:], FIRST + FIRST):
        for position in (START, info.size):
            assert not ask(made, other, position, "a")
            with pytest.raises(Conflict):
                made.append(PATH, other, position=position, batch_id="a")
    assert made.read(PATH) == HEADER + FIRST


def test_a_batch_with_the_bytes_of_another_one_is_not_taken_for_it(made):
    made.append(PATH, FIRST, position=START, batch_id="a")

    with pytest.raises(Conflict):
        made.append(PATH, FIRST, position=START, batch_id="b")
    assert not ask(made, FIRST, START, "b")

    made.append(PATH, FIRST, position=START + len(FIRST), batch_id="b")
    assert made.read(PATH) == HEADER + FIRST + FIRST


def test_only_the_bytes_of_a_batch_under_its_id_are_in(made):
    made.append(PATH, FIRST, position=START, batch_id="a")
    made.append(PATH, SECOND, position=START + len(FIRST), batch_id="b")

    assert ask(made, FIRST, START, "a")
    assert ask(made, SECOND, START + len(FIRST), "b")
    assert not ask(made, SECOND, START, "a")
    assert not ask(made, FIRST[:-1], START, "a")
    assert not ask(made, FIRST + SECOND, START, "a")
    assert not ask(made, FIRST, START, "c")
    assert not ask(made, FIRST, START + len(FIRST + SECOND), "c")


def test_after_an_unknown_answer_the_question_and_the_second_sending_agree(backend):
    """The answer to an append was lost; another process asks, then sends the batch again."""
    backend.open().create(PATH, HEADER, METADATA)
    assert not ask(backend.open(), FIRST, START)
    backend.open().append(PATH, FIRST, position=START, batch_id="a")

    assert ask(backend.open(), FIRST, START)
    backend.open().append(PATH, FIRST, position=START, batch_id="a")
    assert backend.open().read(PATH) == HEADER + FIRST


def test_appending_to_a_missing_file_is_a_conflict_and_makes_nothing(store):
    with pytest.raises(Conflict, match="appending"):
        store.append(PATH, FIRST, position=0, batch_id="a")

    assert store.head(PATH) is None


def test_a_document_is_not_grown_and_not_created_over(store):
    store.put(PATH, b"somebody else's rows\r\n")

    with pytest.raises(Conflict):
        store.append(PATH, FIRST, position=22, batch_id="a")
    with pytest.raises(Conflict):
        store.create(PATH, HEADER, METADATA)

    assert store.read(PATH) == b"somebody else's rows\r\n"
    assert store.head(PATH).metadata == {}
    assert ask(store, b"else's", 9)


def test_writing_nothing_is_refused(made):
    for write in (
        lambda: made.create("modeldata/other.csv", b"", {}),
        lambda: made.append(PATH, b"", position=START, batch_id="a"),
        lambda: made.put("modeltap/empty.json", b""),
        lambda: made.holds(PATH, position=START, length=0, sha256="", batch_id="a"),
        lambda: made.append(PATH, FIRST, position=-1, batch_id="a"),
    ):
        with pytest.raises(StoreRefused, match="send at least one byte"):
            write()

    assert [info.path for info in made.list("")] == [PATH]


def test_a_stretch_is_read_and_ends_with_the_committed_bytes(made):
    made.append(PATH, FIRST, position=START, batch_id="a")
    whole = HEADER + FIRST

    assert made.read(PATH, START) == FIRST
    assert made.read(PATH, 3, 5) == whole[3:8]
    assert made.read(PATH, START, 10**9) == FIRST
    assert made.read(PATH, len(whole)) == b""
    assert made.read(PATH, 10**9, 5) == b""
    assert made.read(PATH, 3, 0) == b""
    for start, length in ((-1, 3), (0, -2)):
        with pytest.raises(StoreRefused):
            made.read(PATH, start, length)


def test_any_bytes_and_any_metadata_text_come_back(store):
    data = bytes(range(256)) * 3000
    store.create(PATH, b"\x00\xff\r\n", {"schema": "x", "größe": '\u2028 "quoted" 🙂'})
    store.append(PATH, data, position=4, batch_id="🙂")

    assert store.read(PATH, 4) == data
    assert store.head(PATH).metadata == {"schema": "x", "größe": '\u2028 "quoted" 🙂'}
    assert ask(store, data, 4, "🙂")


def test_what_a_store_says_does_not_change_when_its_metadata_are_changed(made):
    mine = dict(METADATA)
    made.create("modeldata/other.csv", HEADER, mine)
    mine["schema"] = "changed"

    assert made.head("modeldata/other.csv").metadata == METADATA

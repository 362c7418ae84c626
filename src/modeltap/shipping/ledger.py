"""The ledger: what is shipped, as lines that are only ever appended, and the state that follows from them.

Promises: a torn last line is normal; a damaged line is passed over and counted, and costs nothing that
cannot be found again (an intent stands in the front of its bytes, a settlement is asked from the store);
reading it twice, or a line twice, gives the same state; a newer format is refused and left untouched.

Lines: ``<crc32 of the JSON, 8 hex digits> <JSON>\\n``. Records, told apart by ``record``:

``ledger``     {"format": 1}: the first line
``intent``     {"batch": ...}: it may be in the store from now on; again with a new position when that moves
``settled``    {"batch": ..., "outcome": ...}: every frame of its ranges is done with. Outcomes: ``shipped``,
               ``refused`` and ``undetermined`` (set aside), ``too_many_schemas`` (given up)
``withdrawn``  {"id": ...}: the batch is certainly not in and will not be sent; its frames wait again
``damaged``    {"segment", "start", "end", "cause", "rows"}: bytes that are no frames, set aside
``segment``    {"name", "done": {group: position}, "damaged": [[start, end]]}: of a snapshot
``totals``     {"counts": ...}: of a snapshot
``aside``      {"id", "outcome"}: of a snapshot; settled, but its bytes still lie in ``intents/``

A snapshot (the first lines after a compaction) says the same as all lines before it, for the segments that
are still there. It stands twice, because nothing else remembers what its lines say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zlib import crc32

from modeltap.core.key import DATA_TREE
from modeltap.errors import FormatTooNew, FrameError
from modeltap.shipping.batch import Batch
from modeltap.spool.segment import writer_stem

FORMAT = 1
SHIPPED, REFUSED, UNDETERMINED, TOO_MANY_SCHEMAS = "shipped", "refused", "undetermined", "too_many_schemas"
QUARANTINED = (REFUSED, UNDETERMINED)
UNDECODABLE = "undecodable"
"""Cause of damage: whole frames whose content cannot be read."""

Record = dict[str, Any]


@dataclass
class Counts:
    """What the ledger has counted since it began.

    Attributes:
        shipped: rows by writer stem, for writers that are still known.
        quarantined: rows set aside, by writer stem.
        shipped_rows: rows of all writers.
        quarantined_rows: rows of all writers.
        dropped: rows given up, by reason.
        damaged: bytes that are no frames, by cause.
        ledger_lines: lines of the ledger that could not be read.
    """

    shipped: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    shipped_rows: int = 0
    quarantined_rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    damaged: dict[str, int] = field(default_factory=dict)
    ledger_lines: int = 0

    def settle(self, batch: Batch, outcome: str) -> None:
        """Count the rows of a batch that is done with; losses and trials were never accepted as rows."""
        if batch.key.tree != DATA_TREE:
            return
        if outcome == SHIPPED:
            self.shipped_rows += batch.total_rows
            _add(self.shipped, batch.rows)
        elif outcome in QUARANTINED:
            self.quarantined_rows += batch.total_rows
            _add(self.quarantined, batch.rows)
        else:
            _add(self.dropped, {outcome: batch.total_rows})


@dataclass
class LedgerState:
    """What the lines say together.

    Attributes:
        open: batches that may be in the store, by id.
        settled: outcome of batches that are done with since the last snapshot, by id.
        done: for each segment and group the position below which its frames are done with.
        damaged: for each segment the stretches that are set aside.
        counts: what was counted.
    """

    open: dict[str, Batch] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    done: dict[str, dict[str, int]] = field(default_factory=dict)
    damaged: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    def apply(self, record: Record) -> None:
        """Take in one record.

        Raises:
            FormatTooNew: written by a newer modeltap.
            FrameError: it is no record.
        """
        apply = _APPLY.get(record.get("record", ""))
        if apply is None:
            raise FrameError(f"reading the ledger: {record.get('record')!r} is no record; the line is passed over")
        try:
            apply(self, record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FrameError(f"reading the ledger: {error!r}; the line is passed over") from error

    def snapshot(self, segments: Iterable[str], stems: Iterable[str], ids: Iterable[str]) -> Iterator[Record]:
        """The records that say the same, each of them twice.

        Args:
            segments: those that are still there.
            stems: writers that are still known; rows of others are kept in the sums only.
            ids: batches whose bytes may still lie in ``intents/``.
        """
        records = list(self._snapshot(segments, set(stems), ids))
        yield from records
        yield from records  # not each line beside its twin: a damaged line end costs two neighbours

    def _snapshot(self, segments: Iterable[str], kept: set[str], ids: Iterable[str]) -> Iterator[Record]:
        yield {"record": "ledger", "format": FORMAT}
        counts = asdict(self.counts)
        for name in ("shipped", "quarantined"):
            counts[name] = {stem: rows for stem, rows in counts[name].items() if stem in kept}
        yield {"record": "totals", "counts": counts}
        for name in segments:
            done, damaged = self.done.get(name, {}), self.damaged.get(name, [])
            if done or damaged:
                yield {"record": "segment", "name": name, "done": done, "damaged": damaged}
        for identity in ids:
            if identity in self.settled:
                yield {"record": "aside", "id": identity, "outcome": self.settled[identity]}
        for batch in self.open.values():
            yield intent(batch)

    def forget_segment(self, name: str) -> None:
        """A segment that is done with is gone."""
        self.done.pop(name, None)
        self.damaged.pop(name, None)

    def knows_damage(self, segment: str, start: int, end: int) -> bool:
        """Whether a stretch is set aside already."""
        for known_start, known_end in sorted(self.damaged.get(segment, ())):
            if known_start <= start < known_end:
                start = known_end
        return start >= end


def intent(batch: Batch) -> Record:
    """It may be in the store from now on."""
    return {"record": "intent", "batch": batch.to_document()}


def settled(batch: Batch, outcome: str) -> Record:
    """Every frame of its ranges is done with."""
    return {"record": "settled", "outcome": outcome, "batch": batch.to_document()}


def withdrawn(identity: str) -> Record:
    """The batch is certainly not in and will not be sent."""
    return {"record": "withdrawn", "id": identity}


def damaged(segment: str, start: int, end: int, cause: str, rows: int = 0) -> Record:
    """Bytes that are no frames, or a frame that cannot be read."""
    return {"record": "damaged", "segment": segment, "start": start, "end": end, "cause": cause, "rows": rows}


def encode_line(record: Record) -> bytes:
    """One line."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return b"%08x %b\n" % (crc32(text), text)


def replay(data: bytes) -> LedgerState:
    """Read a ledger.

    Raises:
        FormatTooNew: written by a newer modeltap.
    """
    state, unread = LedgerState(), 0
    whole, _, _torn = data.rpartition(b"\n")
    for line in whole.split(b"\n"):
        record = _decode_line(line)
        try:
            if record is not None:
                state.apply(record)
            elif line:
                unread += 1
        except FrameError:
            unread += 1
    state.counts.ledger_lines += unread
    return state


def _decode_line(line: bytes) -> Record | None:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % crc32(text):
        return None
    try:
        record = json.loads(text)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _take_ledger(_state: LedgerState, record: Record) -> None:
    if record["format"] > FORMAT:
        raise FormatTooNew(
            f"reading the ledger: its format {record['format']} is newer than {FORMAT}; "
            "the spool is left untouched, upgrade modeltap"
        )


def _take_intent(state: LedgerState, record: Record) -> None:
    batch = Batch.from_document(record["batch"])
    if batch.id not in state.settled:
        state.open[batch.id] = batch


def _take_settled(state: LedgerState, record: Record) -> None:
    batch, outcome = Batch.from_document(record["batch"]), str(record["outcome"])
    state.open.pop(batch.id, None)
    if batch.id in state.settled:
        return
    state.settled[batch.id] = outcome
    for segment, groups in batch.ranges.items():
        done = state.done.setdefault(segment, {})
        for group, (_, end) in groups.items():
            done[group] = max(end, done.get(group, 0))
    state.counts.settle(batch, outcome)


def _take_withdrawn(state: LedgerState, record: Record) -> None:
    state.open.pop(record["id"], None)


def _take_damaged(state: LedgerState, record: Record) -> None:
    segment, start, end = str(record["segment"]), int(record["start"]), int(record["end"])
    if not state.knows_damage(segment, start, end):
        state.damaged.setdefault(segment, []).append((start, end))
        _add(state.counts.damaged, {str(record["cause"]): end - start})
        state.counts.quarantined_rows += record["rows"]
        _add(state.counts.quarantined, {writer_stem(segment): record["rows"]} if record["rows"] else {})


def _take_segment(state: LedgerState, record: Record) -> None:
    name = str(record["name"])
    state.done[name] = {str(group): int(end) for group, end in record["done"].items()}
    state.damaged[name] = [(int(start), int(end)) for start, end in record["damaged"]]


def _take_totals(state: LedgerState, record: Record) -> None:
    state.counts = Counts(**record["counts"])


def _take_aside(state: LedgerState, record: Record) -> None:
    state.settled[str(record["id"])] = str(record["outcome"])


_APPLY: dict[str, Callable[[LedgerState, Record], None]] = {
    "ledger": _take_ledger,
    "intent": _take_intent,
    "settled": _take_settled,
    "withdrawn": _take_withdrawn,
    "damaged": _take_damaged,
    "segment": _take_segment,
    "totals": _take_totals,
    "aside": _take_aside,
}


def _add(sums: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        sums[name] = sums.get(name, 0) + amount

"""Placing: each group of frames gets the data file that takes its rows; a new one is made if it must.

Promises: a schema file stands before the first row of that schema; a data file is made by exactly one of all
who try (the losers list the day again and look again); nothing is made before the day was listed freshly. A
group that no file can take keeps its order and gets a fate instead: ``too_many_schemas`` (given up, counted)
or ``refused`` (set aside as batches that can be sent later).
"""

from __future__ import annotations

from modeltap.core.key import CollectionKey, file_number
from modeltap.core.schema import Schema
from modeltap.errors import Conflict, StoreRefused, StoreUnavailable
from modeltap.services.schemas import schema_path
from modeltap.shipping.effects import CreateBlob, HeadBlob, ListBlobs, PutBlob, ReadBlob, Steps
from modeltap.shipping.ledger import REFUSED, TOO_MANY_SCHEMAS
from modeltap.shipping.retrying import ask, back_off
from modeltap.shipping.routing import Fit, New, choose
from modeltap.shipping.state import Entry, Group, Lane, Stream, Target
from modeltap.shipping.work import Work
from modeltap.stores.base import Info

MAX_RACES = 64
"""More than a day can have files: each lost race has made one."""
_CACHED_SCHEMAS = 4096


def place(work: Work, stream: Stream) -> Steps[None]:
    """Find a file for each group of a stream that has none; on an error the rest waits."""
    placed = False
    while stream.unplaced and stream.retry.until <= work.now:
        group = stream.unplaced[0]
        found = yield from _find(work, stream, group)
        if isinstance(found, StoreRefused):
            found = _fate(work, stream, REFUSED)
        if isinstance(found, Exception):
            yield from back_off(work, stream.retry, found)
            break
        stream.unplaced.pop(0)
        group.lane = found
        placed = True
    if placed:
        work.read_again(stream)
        _distribute(work, stream)
    if not stream.unplaced:
        work.succeeded(stream.retry)


def _find(work: Work, stream: Stream, group: Group) -> Steps[Target | Exception]:
    """The file of a group, made if need be; or the store's error."""
    chosen = _choose(work, stream, group)
    for _ in range(MAX_RACES):
        if isinstance(chosen, Fit):
            return stream.targets[chosen.number]
        error = yield from _list_day(work, stream, group)
        if error is not None:
            return error
        chosen = _choose(work, stream, group)
        if isinstance(chosen, New):
            made = yield from _make(work, stream, chosen)
            if not isinstance(made, Conflict):
                return made
        elif not isinstance(chosen, Fit):
            return _fate(work, stream, TOO_MANY_SCHEMAS)
    return StoreUnavailable(f"choosing a file for {stream.key.folder}: {MAX_RACES} races were lost; trying again")


def _choose(work: Work, stream: Stream, group: Group) -> Fit | New | object:
    files = {number: target.schema for number, target in stream.targets.items()}
    waiting = [other.shape for other in stream.unplaced if other is not group]
    return choose(group.shape, files, waiting, work.config.schemas_per_day)


def _list_day(work: Work, stream: Stream, group: Group) -> Steps[Exception | None]:
    """Learn which files the day has."""
    settled = group.shape.schema.settled()
    work.schemas[settled.id] = settled  # a file with just this schema is known without its schema file
    infos = yield from ask(work, ListBlobs(stream.key.day_folder(stream.date) + "/"))
    if isinstance(infos, Exception):
        return infos
    listed: dict[int, Info] = {}
    for info in infos:
        number = file_number(info.path.rpartition("/")[2])
        if number is not None and info.path == stream.key.data_file(stream.date, number):
            listed[number] = info
    for number, info in listed.items():
        schema = yield from _schema_of(work, stream.key, info.metadata.get("schema", ""))
        if isinstance(schema, Exception):
            return schema
        target = stream.targets.get(number)
        if target is not None and target.schema != schema:
            leave(work, target)
        if target is None or target.schema != schema:
            target = stream.targets[number] = Target(stream, number, schema, info.size)
        if target.path not in work.sendings:
            target.position = info.size
    for target in [target for number, target in stream.targets.items() if number not in listed]:
        leave(work, target)
    return None


def _schema_of(work: Work, key: CollectionKey, identity: str) -> Steps[Schema | Exception | None]:
    """The schema of a file; None when nobody can say it."""
    if not identity or identity in work.schemas:
        return work.schemas.get(identity)
    text = yield from ask(work, ReadBlob(schema_path(key, identity)))
    if isinstance(text, Conflict):
        return None
    if isinstance(text, Exception):
        return text
    schema = _read_schema(text)
    if schema is None or schema.id != identity:
        return None
    if len(work.schemas) >= _CACHED_SCHEMAS:
        work.schemas.clear()
    work.schemas[identity] = schema
    return schema


def _read_schema(text: bytes) -> Schema | None:
    try:
        return Schema.from_json(text.decode())
    except (ValueError, KeyError, TypeError):
        return None


def _make(work: Work, stream: Stream, chosen: New) -> Steps[Target | Exception]:
    """Make a data file, its schema file first."""
    schema = chosen.schema
    error = yield from _write_schema(work, stream.key, schema)
    if error is not None:
        return error
    path = stream.key.data_file(stream.date, chosen.number)
    made = yield from ask(work, CreateBlob(path, work.config.header(schema), {"schema": schema.id}))
    if isinstance(made, Exception):
        return made
    work.schemas[schema.id] = schema
    target = stream.targets[chosen.number] = Target(stream, chosen.number, schema, made.size)
    return target


def _write_schema(work: Work, key: CollectionKey, schema: Schema) -> Steps[Exception | None]:
    """Make sure that a schema file is there and whole."""
    path = schema_path(key, schema.id)
    if path in work.written:
        return None
    there = yield from ask(work, HeadBlob(path))
    if isinstance(there, Exception):
        return there
    if there is not None:
        text = yield from ask(work, ReadBlob(path))
        if isinstance(text, Exception):
            return text
        if _read_schema(text) == schema:
            there = text
    if not isinstance(there, bytes):
        data = schema.to_json().encode("utf-8", "replace")
        put = yield from ask(work, PutBlob(path, data, if_match="" if there is None else there.etag))
        if isinstance(put, Exception):
            return put
    if len(work.written) >= _CACHED_SCHEMAS:
        work.written.clear()
    work.written.add(path)
    return None


def _fate(work: Work, stream: Stream, outcome: str) -> Target:
    """Where frames go that no file takes."""
    target = work.fates.get((stream, outcome))
    if target is None:
        target = work.fates[stream, outcome] = Target(stream, -1, None, 0, outcome)
    return target


def _distribute(work: Work, stream: Stream) -> None:
    """Bring what waits in the stream's own lane to the files of its groups, in the order of the segments."""
    for name in list(stream.waiting):
        segment = work.segments[name]
        lanes: dict[Lane, list[Entry]] = {}
        for entry in stream.take_all(segment):
            lanes.setdefault(entry.group.lane, []).append(entry)
        for lane, found in lanes.items():
            lane.insert(segment, found)


def leave(work: Work, target: Target) -> None:
    """A data file is gone: its groups look for another one, its frames are read again."""
    for segment in list(work.segments.values()):
        if segment.name in target.waiting or target in segment.skipped:
            work.rewind(segment)  # while the target is still one of the stream's, so that its frames count
    stream = target.stream
    if stream.targets.get(target.number) is target:
        del stream.targets[target.number]
    for group in stream.groups:
        if group.lane is target:
            group.lane = stream
            stream.unplaced.append(group)

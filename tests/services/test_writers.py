"""Writers: a service announces itself, and tells no secret."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from modeltap.core.instants import parse_instant
from modeltap.core.settings import resolve
from modeltap.services.writers import Writer, effective_settings, put_writer, read_writers, writers_prefix

NOW = parse_instant("2026-11-22T21:39:52.656442")
WRITER = Writer(
    ("sub", "rg", "ws"),
    "my service",
    "host.example",
    "a1b2",
    NOW,
    {"flush_seconds": 1.0, "collect": True},
    {"modeltap": "0.1.0", "python": "3.11.7"},
    {"model/1/inputs": {"accepted": 3, "rejected": {"ragged": 1}}},
    "appending to x: No space left on device; free space",
)


def test_a_heartbeat_stands_under_its_service_and_is_read_back_equal(store):
    put_writer(store, WRITER)

    path = "modeltap/writers/sub/rg/ws/my service/host.example-a1b2.json"
    assert [info.path for info in store.list("")] == [path]
    assert json.loads(store.read(path))["heartbeat"] == "2026-11-22T21:39:52.656442"
    assert list(read_writers(store)) == [WRITER]


def test_the_next_heartbeat_takes_the_place_of_the_last(store):
    put_writer(store, WRITER)
    later = replace(WRITER, heartbeat_us=NOW + 10**7, last_error=None)
    put_writer(store, later)

    assert list(read_writers(store)) == [later]


def test_writers_are_found_by_workspace_and_service(store):
    here, other = replace(WRITER, host="h2"), replace(WRITER, service="my service 2")
    elsewhere = replace(WRITER, workspace=("sub", "rg", "ws-2"))
    for writer in (WRITER, here, other, elsewhere):
        put_writer(store, writer)

    assert len(list(read_writers(store))) == 4
    assert list(read_writers(store, ("sub", "rg", "ws"))) == [other, here, WRITER]
    assert list(read_writers(store, ("sub", "rg", "ws"), "my service")) == [here, WRITER]
    assert list(read_writers(store, ("no", "such", "one"))) == []


def test_names_that_are_no_file_names_are_held(store):
    odd = replace(WRITER, workspace=("..", "a/b", "ü"), service=".", host="ho/st", agent="\\")
    put_writer(store, odd)

    assert list(read_writers(store)) == [odd]
    assert odd.path.startswith(writers_prefix(odd.workspace, odd.service))


@pytest.mark.parametrize("damage", [b"{", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "workspace": [1]}'])
def test_a_damaged_document_hides_no_other(store, damage):
    store.put("modeltap/writers/sub/rg/ws/my service/a.json", damage)
    put_writer(store, WRITER)

    assert list(read_writers(store)) == [WRITER]


def test_effective_settings_say_what_is_in_force_and_where_it_comes_from():
    settings = effective_settings(resolve({"MODELTAP_STORE": "/srv/data", "SERVICE_NAME": "svc", "HOME": "/root"}))

    assert settings["store"] == "file:///srv/data"
    assert settings["service"] == "svc"
    assert settings["sources"]["service"] == "SERVICE_NAME"
    assert json.loads(json.dumps(settings)) == settings


@pytest.mark.parametrize(
    "url",
    [
        "https://account.blob.core.windows.net/c?sv=2024&sig=SECRET%3D",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=SECRET==;EndpointSuffix=core.windows.net",
        "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1&sig=SECRET",
        "s3://key:SECRET@bucket/prefix",
    ],
)
def test_no_secret_of_settings_or_errors_gets_into_the_document(store, url):
    settings = effective_settings(resolve({"MODELTAP_STORE": url, "HOME": "/root"}))
    put_writer(store, replace(WRITER, settings={**settings, "raw": url}, last_error=f"putting to {url}: refused"))

    document = store.read(WRITER.path).decode()
    assert "SECRET" not in document
    assert "refused" in document

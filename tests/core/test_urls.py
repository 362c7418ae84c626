"""Store URLs: every form that is documented, and no secret in what is shown."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltap.core.urls import local_path, public_url, store_hash, store_kind
from modeltap.errors import SettingsError

KEY = "a2V5LXRoYXQtbXVzdC1zdGF5LXNlY3JldA=="
CONNECTION_STRING = f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={KEY};EndpointSuffix=core.windows.net"


@pytest.mark.parametrize(
    ("url", "kind", "shown"),
    [
        ("/srv/data", "file", "file:///srv/data"),
        ("/srv/data/", "file", "file:///srv/data"),
        ("/srv/x/../data", "file", "file:///srv/data"),
        ("/srv/my data", "file", "file:///srv/my data"),
        ("/srv/a?b#c", "file", "file:///srv/a?b#c"),
        ("/srv/a://b", "file", "file:///srv/a:/b"),
        ("/", "file", "file:///"),
        ("file:///srv/data", "file", "file:///srv/data"),
        ("file:///srv/data/", "file", "file:///srv/data"),
        ("FILE:///srv/my%20data", "file", "file:///srv/my data"),
        ("file://localhost/srv/data", "file", "file:///srv/data"),
        ("az://modeldata", "azure", "az://modeldata"),
        ("az://logs/prefix/", "azure", "az://logs/prefix"),
        ("azure://logs/prefix", "azure", "azure://logs/prefix"),
        ("AZ://logs", "azure", "az://logs"),
        ("abfs://logs@shop.dfs.core.windows.net", "azure", "abfs://logs@shop.dfs.core.windows.net"),
        ("abfss://logs@shop.dfs.core.windows.net/a/b", "azure", "abfss://logs@shop.dfs.core.windows.net/a/b"),
        ("wasb://logs@shop.blob.core.windows.net", "azure", "wasb://logs@shop.blob.core.windows.net"),
        ("wasbs://logs@shop.blob.core.windows.net/a", "azure", "wasbs://logs@shop.blob.core.windows.net/a"),
        ("https://shop.blob.core.windows.net", "azure", "https://shop.blob.core.windows.net"),
        ("https://shop.blob.core.windows.net/logs/a/", "azure", "https://shop.blob.core.windows.net/logs/a"),
        (CONNECTION_STRING, "azure", "https://shop.blob.core.windows.net"),
        ("UseDevelopmentStorage=true", "azure", "https://devstoreaccount1.blob.core.windows.net"),
        (
            f"AccountName=dev;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/dev;",
            "azure",
            "http://127.0.0.1:10000/dev",
        ),
        ("s3://bucket", "s3", "s3://bucket"),
        ("s3://bucket/a/b/", "s3", "s3://bucket/a/b"),
        ("S3://Bucket/A", "s3", "s3://Bucket/A"),
        ("gs://bucket/a", "gs", "gs://bucket/a"),
    ],
)
def test_every_form_of_a_store_is_known_and_has_one_public_text(url, kind, shown):
    assert store_kind(url) == kind
    assert public_url(url) == shown


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "http://host/x", "https://shop.example.com", "hdfs://x", "https://[x", "x+y://"]
)
def test_a_scheme_that_is_unknown_is_refused_with_the_forms_that_are_known(url):
    with pytest.raises(SettingsError, match="connection string, s3:// or gs://"):
        store_kind(url)


def test_a_relative_path_and_a_tilde_are_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ann")

    assert local_path("data") == os.path.join(os.getcwd(), "data")
    assert local_path("~/data") == "/home/ann/data"


# ---- secrets

SECRETS = (
    f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={KEY}",
    f"AccountKey={KEY};AccountName=shop",
    f" AccountName = shop ; AccountKey = {KEY} ",
    f"accountname=shop;ACCOUNTKEY={KEY}",
    f"AccountKey={KEY}",
    f"DefaultEndpointsProtocol=https;AccountKey={KEY}",
    f"BlobEndpoint=https://shop.blob.core.windows.net;SharedAccessSignature=sv=2024&sig={KEY}",
    f"SharedAccessSignature=sv=2024&sig={KEY};QueueEndpoint=https://shop.queue.core.windows.net",
    f"BlobEndpoint=https://shop.blob.core.windows.net/?sv=2024&sig={KEY}",
    f"BlobEndpoint=shop.blob.core.windows.net?sig={KEY};AccountName=shop",
    f"https://shop.blob.core.windows.net/logs?sv=2024&sig={KEY}",
    f"https://shop.blob.core.windows.net/logs/a?sp=rw&sig={KEY}#x",
    f"https://shop.blob.core.windows.net/logs#sig={KEY}",
    f"https://ann:{KEY}@shop.blob.core.windows.net/logs",
    f"https://{KEY}@shop.blob.core.windows.net/logs",
    f"az://logs/a?sig={KEY}",
    f"az://ann:{KEY}@logs/a",
    f"abfss://logs@shop.dfs.core.windows.net/a?sig={KEY}",
    f"abfss://logs:{KEY}@shop.dfs.core.windows.net/a",
    f"wasbs://logs@shop.blob.core.windows.net?{KEY}",
    f"s3://AKIA:{KEY}@bucket/a",
    f"s3://AKIA:sl/ash/{KEY}@bucket/a",
    f"s3://AKIA:qu?es#tion{KEY}@bucket/a",
    f"gs://bucket/a?token={KEY}",
    f"ftp://ann:{KEY}@host/x",
    f"https://[{KEY}@shop/x",
    f"file:///srv/data?sig={KEY}",
    f"file://ann:{KEY}@localhost/srv/data",
)


@pytest.mark.parametrize("url", SECRETS)
def test_no_secret_is_in_what_is_shown(url):
    assert KEY not in public_url(url)
    assert "AKIA" not in public_url(url)
    with suppress(SettingsError):
        assert KEY not in store_kind(url)


def test_no_secret_is_in_the_error_of_a_store_that_is_unknown():
    for url in (f"ftp://ann:{KEY}@host/x", f"https://[{KEY}@shop/x", f"http://shop/x?sig={KEY}"):
        with pytest.raises(SettingsError) as caught:
            store_kind(url)
        assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", SECRETS)
def test_a_new_secret_is_still_the_same_store(url):
    assert store_hash(url, 1000) == store_hash(url.replace(KEY, "bmV3"), 1000)


def test_the_connection_string_and_the_url_of_an_account_are_one_store():
    assert store_hash(CONNECTION_STRING, 0) == store_hash("https://shop.blob.core.windows.net/", 0)
    assert store_hash("/srv/data", 0) == store_hash("file:///srv/data", 0)


def test_what_is_shown_of_a_store_names_the_same_store():
    for url in (CONNECTION_STRING, *SECRETS):
        assert public_url(public_url(url)) == public_url(url)


def test_another_store_or_another_user_has_another_spool():
    urls = ["/srv/data", "/srv/data2", "s3://a/x@y", "s3://b/x@y", "az://a", "abfss://a@b.dfs.core.windows.net"]

    assert len({store_hash(url, uid) for url in urls for uid in (0, 1000)}) == 2 * len(urls)
    assert all(len(store_hash(url, 0)) == 16 for url in urls)


def test_the_hash_of_a_store_never_changes():
    assert store_hash("/srv/data", 1000) == "a343cd4b89887c9f"


@given(st.text(st.sampled_from("az:/s3@?#;=[]%. \0\u212a") | st.characters(), max_size=30))
def test_no_text_makes_these_functions_fail(text):
    assert "://" in public_url(text)
    with suppress(SettingsError):
        assert store_kind(text) in {"file", "azure", "s3", "gs"}

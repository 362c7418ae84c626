"""A URL becomes a store, or a sentence."""

from __future__ import annotations

import pytest

from modeltap.errors import SettingsError
from modeltap.stores.urls import open_store


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/", "{}/x/.."])
def test_a_folder_opens_in_every_form_and_nothing_is_made(tmp_path, form):
    store = open_store(form.format(tmp_path / "store"))

    assert store.url == f"file://{tmp_path}/store"
    assert not (tmp_path / "store").exists()
    store.put("a/b.json", b"{}")
    assert (tmp_path / "store" / "a" / "b.json").read_bytes() == b"{}"


def test_a_folder_relative_to_home_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert open_store("~/store").url == f"file://{tmp_path}/store"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("az://container/prefix", "Azure Blob Storage"),
        ("abfss://container@account.dfs.core.windows.net", "Azure Blob Storage"),
        ("https://account.blob.core.windows.net/c?sv=1&sig=SECRET", "Azure Blob Storage"),
        ("DefaultEndpointsProtocol=https;AccountName=account;AccountKey=SECRET==", "Azure Blob Storage"),
        ("s3://bucket/prefix", "S3"),
        ("gs://bucket/prefix", "Google Cloud Storage"),
        ("ftp://user:SECRET@host/x", "its scheme 'ftp' is unknown"),
    ],
)
def test_a_store_that_this_version_cannot_open_is_named_without_its_secrets(url, name):
    with pytest.raises(SettingsError) as told:
        open_store(url)

    assert name in str(told.value)
    assert "SECRET" not in str(told.value)

"""Secrets are taken out of text, and nothing else is."""

from __future__ import annotations

import pytest

from modeltap.services.scrub import without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "GET https://a.blob.core.windows.net/c/b?se=2026&sp=rw&sig=SECRET%2B%3D&sr=c failed",
        "AccountName=a;AccountKey=SECRET+/==;EndpointSuffix=core.windows.net",
        "SharedAccessSignature=SECRET",
        "https://user:SECRET@proxy.example:8080/",
        "{'Authorization': 'Bearer SECRETSECRET', 'x': 1}",
        "Authorization: SharedKey account:SECRET=",
        '{"password": "SECRET"}',
        "aws_secret_access_key = SECRET",
        "?X-Amz-Credential=SECRET/2026&X-Amz-Signature=SECRET",
        "token=SECRET",
        "api-key: SECRET",
        "client_secret=SECRET&x=1",
    ],
)
def test_a_secret_is_hidden(text):
    assert "SECRET" not in without_secrets(text)
    assert "***" in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "appending to modeldata/a/data.csv in file:///srv/store: No space left on device; free space",
        "https://account.blob.core.windows.net/container/prefix",
        "the design of signals: 3 tokens, no passwords",
        "s3://bucket/prefix/sub@rg/x",
        "",
    ],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    assert without_secrets(text) == text


def test_what_stands_beside_a_secret_stays():
    assert without_secrets("GET https://h/c?sp=rw&sig=abc&sr=c: 403") == "GET https://h/c?sp=rw&sig=***&sr=c: 403"

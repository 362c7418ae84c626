"""Ids of requests in HTTP headers: what a host calls a request, and what it is told in return.

Invariants: an id that goes out again has at most 256 characters, all of them printable ASCII, so it
can neither split a header nor fill a log. The first usable of these names the request::

    REQUEST_ID (WSGI environment only) · x-request-id · x-ms-client-request-id
"""

from __future__ import annotations

import re
from collections.abc import Iterable

REQUEST_ID = "x-request-id"
CLIENT_REQUEST_ID = "x-ms-client-request-id"
NAMES = (REQUEST_ID, CLIENT_REQUEST_ID)
"""Headers that carry a host's id, in the order in which they are asked."""
MARK = "modeltap.request_id"
"""The key of the ASGI scope or WSGI environment under which the request's id stands for the app."""
MAX_CHARACTERS = 256

_UNSAFE = re.compile(r"[^ -~]+")


def safe_id(text: str) -> str:
    """Give an id without anything that a header could not hold.

    Args:
        text: any text, usually a header's value.

    Returns:
        At most 256 printable ASCII characters, without spaces around them; may be empty.
    """
    return _UNSAFE.sub("", text[:MAX_CHARACTERS]).strip()


def first_id(candidates: Iterable[str]) -> str:
    """Give the first of some values that is not empty when made safe, or an empty text."""
    for candidate in candidates:
        if candidate and (identity := safe_id(candidate)):
            return identity
    return ""

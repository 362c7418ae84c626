"""Ids of requests, and the eight correlation values of the original's API.

A request id has the form of a UUID: 80 random bits of its writer (one process start) and a 48-bit
counter, so it is unique over writers without a call to the random source per request::

    wwwwwwww-wwww-wwww-wwww-nnnnnnnnnnnn

``collect()`` returns the eight values, ``add_correlations()`` puts them on the user's predictions,
and ``collect()`` takes them out again. The UUID in ``$aml_dc_correlation_id`` says which rows it
stands for, so that a prediction finds its input row even in another thread or process::

    <user id>-nnnnnnnn-wwww-wwww-wwww-bbbbbbrrrrrr
              |        |              |     rows it covers (24 bits)
              |        |              first row (24 bits)
              |        first 48 bits of the writer
              low 32 bits of the request's counter
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CORRELATION_ID = "$aml_dc_correlation_id"
SCORING_TIMESTAMP = "$aml_dc_scoring_timestamp"
BOUNDARY = "$aml_dc_boundary"
WORKSPACE = "$aml_workspace"
SERVICE_NAME = "$aml_service_name"
MODEL_NAME = "$aml_model_name"
MODEL_VERSION = "$aml_model_version"
REQUEST_ID = "$aml_request_id"

CORRELATION_COLUMNS = (
    CORRELATION_ID,
    SCORING_TIMESTAMP,
    BOUNDARY,
    WORKSPACE,
    SERVICE_NAME,
    MODEL_NAME,
    MODEL_VERSION,
    REQUEST_ID,
)
"""In the order in which the original's later releases append them."""

NO_ROWS = (0xFFFFFF, 0)
"""First row and row count that say: pairs with no row."""
MAX_ROW = 0xFFFFFF
_UUID_LENGTH = 36


class Writer(NamedTuple):
    """The texts that one process start puts into its ids."""

    request_prefix: str
    correlation_middle: str

    @classmethod
    def from_bytes(cls, random: bytes) -> Writer:
        """Make a writer from 10 random bytes."""
        w = random.hex()
        return cls(f"{w[:8]}-{w[8:12]}-{w[12:16]}-{w[16:20]}-", f"-{w[:4]}-{w[4:8]}-{w[8:12]}-")

    def request_id(self, number: int) -> str:
        """The id of this writer's ``number``-th request."""
        return f"{self.request_prefix}{number:012x}"


def correlation_uuid(request_id: str, first_row: int, rows: int) -> str:
    """The UUID that stands for some rows of a request; see the module's text."""
    if not (0 <= first_row < MAX_ROW and 0 < rows < MAX_ROW):
        first_row, rows = NO_ROWS
    w = request_id
    return f"{w[-8:]}-{w[:4]}-{w[4:8]}-{w[9:13]}-{first_row:06x}{rows:06x}"


def with_user_id(user_id: str, uuid: str) -> str:
    """``<user id>-<uuid>``, or the UUID alone."""
    return f"{user_id}-{uuid}" if user_id else uuid


class CarriedId(NamedTuple):
    """What a correlation id says: the user's own id and, if modeltap wrote it, the rows."""

    user_id: str
    first_row: int | None
    rows: int


def read_correlation_id(text: str, request_id: str) -> CarriedId:
    """Read a correlation id back.

    Args:
        text: a cell of ``$aml_dc_correlation_id``.
        request_id: the cell of ``$aml_request_id`` beside it.

    Returns:
        The user's id; first row and row count, or None and 0 when it names no row of that request.
    """
    uuid = text[-_UUID_LENGTH:]
    if not is_uuid(uuid):
        return CarriedId(text, None, 0)
    user_id = text[:-_UUID_LENGTH].removesuffix("-")
    first_row, rows = int(uuid[-12:-6], 16), int(uuid[-6:], 16)
    if not rows or uuid != correlation_uuid(request_id, first_row, rows):
        return CarriedId(user_id, None, 0)
    return CarriedId(user_id, first_row, rows)


def is_uuid(text: str) -> bool:
    """Whether a text has the form 8-4-4-4-12 of lower-case hex digits."""
    if len(text) != _UUID_LENGTH or not text.isascii():
        return False
    groups = text.split("-")
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and all(
        character in "0123456789abcdef" for group in groups for character in group
    )


def is_correlations(values: Sequence[object]) -> bool:
    """Whether eight values are those that ``add_correlations`` appends, recognised by their forms."""
    if len(values) != len(CORRELATION_COLUMNS):
        return False
    identity, timestamp, boundary, workspace, *_, request_id = values
    return (
        isinstance(identity, str)
        and is_uuid(identity[-_UUID_LENGTH:])
        and isinstance(timestamp, str)
        and len(timestamp) >= 19
        and timestamp[4:5] == timestamp[7:8] == "-"
        and timestamp[10:11] == "T"
        and str(boundary) in ("1440", "60")
        and isinstance(workspace, str)
        and workspace.count("/") == 2
        and isinstance(request_id, str)
        and is_uuid(request_id)
    )

"""One function makes every part of a path, one makes every column name.

Promises: two different parts never give the same path text, ``decode_part`` gives the part back, and
a part that cannot be held (empty, or over 255 encoded bytes) is refused. Case twins stay apart
because the text keeps its case. Column names of one schema are unique even without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from modeltap.errors import NameRefused

MAX_PART_BYTES = 255
"""The longest file name that common file systems hold."""

# Everything else (separators, control and non-ASCII characters, `%` itself) is written as %XX,
# so no store, URL or shell sees a character with a meaning of its own.
_SAFE = " !$&'()+,-.;=@[]^_`{}~"
_RESERVED_STEMS = frozenset(
    {"con", "prn", "aux", "nul"} | {f"com{n}" for n in range(10)} | {f"lpt{n}" for n in range(10)}
)


def encode_part(text: str) -> str:
    """Give the path text of one part (a service, a model, a designation ...).

    Args:
        text: any text.

    Returns:
        ASCII text without separators; the same text for ordinary names.

    Raises:
        NameRefused: the part is empty or longer than 255 bytes when encoded.
    """
    if not text:
        raise NameRefused("naming a path part: the name is empty; give it at least one character")
    encoded = quote(text, safe=_SAFE, encoding="utf-8", errors="surrogatepass")
    if not encoded.strip(".") or encoded.split(".")[0].lower() in _RESERVED_STEMS:
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if encoded[-1] in ". ":
        encoded = f"{encoded[:-1]}%{ord(encoded[-1]):02X}"
    if encoded[0] == " ":
        encoded = "%20" + encoded[1:]
    if len(encoded) > MAX_PART_BYTES:
        raise NameRefused(
            f"naming a path part: {text[:40]!r}... takes {len(encoded)} bytes, at most "
            f"{MAX_PART_BYTES} fit; choose a shorter name"
        )
    return encoded


def decode_part(encoded: str) -> str:
    """Give back the text that ``encode_part`` was given (decodes once)."""
    return unquote_to_bytes(encoded).decode("utf-8", "surrogatepass")


def column_names(raw: Iterable[object]) -> tuple[str, ...]:
    """Make the column names of one schema, in order.

    Text of each name; an empty one becomes ``c<k>``; a leading ``$`` (kept for modeltap's own
    columns) becomes ``_$``; a name that is taken, without regard to case, gets ``_2``, ``_3`` ...

    Args:
        raw: one object per column, usually text.

    Returns:
        As many names as objects, unique without regard to case.
    """
    numbers: dict[str, int] = {}  # of each name that is taken, the last number given to its twins
    names: list[str] = []
    for position, item in enumerate(raw):
        base = _as_text(item) or f"c{position}"
        if base.startswith("$"):
            base = "_" + base
        name, folded = base, base.casefold()
        number = numbers.get(folded, 0)
        while name.casefold() in numbers:
            number += 1
            name = f"{base}_{number}"
        numbers[folded] = max(number, 1)
        numbers.setdefault(name.casefold(), 1)
        names.append(name)
    return tuple(names)


def _as_text(item: object) -> str:
    text = item if type(item) is str else str(item)
    return text.encode("utf-8", "replace").decode("utf-8")

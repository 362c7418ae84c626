"""Correlation contexts of the second-generation client.

``collect`` returns a context; given to the next ``collect`` it joins that call's rows to the first
one's. The original's samples make one context in ``init()`` and use it for every request, so nothing
of a request is ever kept on a context of the user's: ``Carried`` is a new object around it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any


class CorrelationContext:
    """The base of every context; subclasses say an id."""

    def get_id(self) -> str:
        """The user's own id of what is collected; empty when there is none."""
        return ""

    def get_timestamp(self) -> int:
        """Seconds since 1970-01-01 UTC."""
        return int(time.time())

    def get_headers(self) -> Mapping[str, str]:
        """Further values that the user attached."""
        return {}

    def __str__(self) -> str:
        return self.get_id()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get_id()!r})"


class BasicCorrelationContext(CorrelationContext):
    """A context with an id, an instant and headers.

    Args:
        id: the user's own id; default: a random UUID.
        timestamp: seconds since 1970-01-01 UTC; default: now.
        headers: further values; default: none.
    """

    def __init__(
        self,
        id: str | None = None,  # noqa: A002  the original's own name
        timestamp: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.id = id or str(uuid.uuid4())
        self.timestamp = timestamp or int(time.time())
        self.headers = headers or {}

    def get_id(self) -> str:
        """The id."""
        return self.id

    def get_timestamp(self) -> int:
        """The instant, in seconds since 1970-01-01 UTC."""
        return self.timestamp

    def get_headers(self) -> Mapping[str, str]:
        """The headers."""
        return self.headers


class MadeContext(BasicCorrelationContext):
    """A context for a call that brought none: its id is not the user's."""


class Carried(CorrelationContext):
    """What ``collect`` returns: the context it was given, and the rows that it collected.

    Args:
        context: the user's own context, or one made for the call.
        correlations: what the collector said of the rows; None when it rejected them.
    """

    def __init__(self, context: CorrelationContext, correlations: Mapping[str, Any] | None) -> None:
        self.context = context
        self.correlations = correlations

    def get_id(self) -> str:
        """The id of the context inside."""
        return self.context.get_id()

    def get_timestamp(self) -> int:
        """The instant of the context inside."""
        return self.context.get_timestamp()

    def get_headers(self) -> Mapping[str, str]:
        """The headers of the context inside."""
        return self.context.get_headers()

    def __getattr__(self, name: str) -> Any:
        """Show what else the user's own context has."""
        if name == "context":  # not there yet while being unpickled
            raise AttributeError(name)
        return getattr(self.context, name)


def get_context() -> CorrelationContext:
    """A new context with a random id."""
    return BasicCorrelationContext()

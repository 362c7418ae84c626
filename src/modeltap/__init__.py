"""modeltap: collect what goes into and comes out of deployed models, in storage that you own.

The names below load on first use, so that ``import modeltap`` costs next to nothing.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from modeltap.version import __version__

if TYPE_CHECKING:
    from modeltap import compat, errors, testing
    from modeltap.capture.collector import ModelDataCollector
    from modeltap.capture.control import close, flush, stats
    from modeltap.capture.scope import request
    from modeltap.capture.wrapping import collect, wrap
    from modeltap.telemetry.asgi import Middleware
    from modeltap.telemetry.wsgi import WSGIMiddleware

__all__ = [
    "Middleware",
    "ModelDataCollector",
    "WSGIMiddleware",
    "__version__",
    "close",
    "collect",
    "compat",
    "errors",
    "flush",
    "request",
    "stats",
    "testing",
    "wrap",
]

_PLACES = {
    "Middleware": "modeltap.telemetry.asgi",
    "ModelDataCollector": "modeltap.capture.collector",
    "WSGIMiddleware": "modeltap.telemetry.wsgi",
    "close": "modeltap.capture.control",
    "collect": "modeltap.capture.wrapping",
    "flush": "modeltap.capture.control",
    "request": "modeltap.capture.scope",
    "stats": "modeltap.capture.control",
    "wrap": "modeltap.capture.wrapping",
}
_MODULES = ("compat", "errors", "testing")

logging.getLogger("modeltap").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name in _MODULES:
        return import_module(f"modeltap.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'modeltap' has no attribute {name!r}")
    found = getattr(import_module(_PLACES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__

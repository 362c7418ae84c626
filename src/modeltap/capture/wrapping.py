"""Collecting without a collector: a model or a function whose calls are collected as they happen.

``wrap(model, name)`` collects the argument of ``predict``, ``predict_proba`` and ``decision_function``
as ``inputs`` and what they return as ``predictions``; a call that fails leaves its input and a row
under ``exceptions``, and its exception goes on unchanged. ``@collect(name)`` does the same for a
function of one argument. Each call is a request of its own, unless it stands inside one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, TypeVar

from modeltap.capture.collector import ModelDataCollector
from modeltap.capture.scope import current_request, request

F = TypeVar("F", bound=Callable[..., Any])

METHODS = ("predict", "predict_proba", "decision_function")
MAX_MESSAGE_CHARACTERS = 2000


class _Tap:
    """The collectors of one model, made when they are first needed."""

    def __init__(self, name: str, version: str | None, feature_names: Iterable[str] | None = None) -> None:
        self._options = {"model_name": name, "model_version": version or "default"}
        self.inputs = ModelDataCollector(designation="inputs", feature_names=feature_names, **self._options)
        self._outputs: dict[tuple[str, ...], ModelDataCollector] = {}

    def outputs(self, names: tuple[str, ...]) -> ModelDataCollector:
        """The collector of predictions whose columns have these names."""
        found = self._outputs.get(names)
        if found is None:
            found = ModelDataCollector(designation="predictions", feature_names=names or None, **self._options)
            self._outputs[names] = found
        return found

    def failed(self, error: Exception) -> None:
        """Collect an exception."""
        collector = ModelDataCollector(designation="exceptions", **self._options)
        collector.collect({"type": type(error).__qualname__, "message": _message(error)})


def _message(error: Exception) -> str:
    try:
        return str(error)[:MAX_MESSAGE_CHARACTERS]
    except Exception:
        return ""


def _scope() -> Any:
    """A request of its own, unless the call stands inside one."""
    return request() if current_request() is None else nullcontext()


class Wrapped:
    """A model whose calls are collected; everything else is the model's own. Pickles as the bare model."""

    def __init__(self, model: Any, name: str, version: str | None) -> None:
        object.__setattr__(self, "_modeltap_model", model)
        object.__setattr__(self, "_modeltap_tap", _Tap(name, version, _plain_names(model, "feature_names_in_")))

    def __getattr__(self, name: str) -> Any:
        model = object.__getattribute__(self, "_modeltap_model")
        found = getattr(model, name)
        if name in METHODS and callable(found):
            return functools.wraps(found)(functools.partial(self._modeltap_call, name, found))
        return found

    def _modeltap_call(self, method: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        tap: _Tap = object.__getattribute__(self, "_modeltap_tap")
        values = args[0] if args else next(iter(kwargs.values()), None)
        with _scope():
            tap.inputs.collect(values)
            try:
                result = call(*args, **kwargs)
            except Exception as error:
                tap.failed(error)
                raise
            tap.outputs(_output_names(self._modeltap_model, method, result)).collect(result)
        return result

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._modeltap_model, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._modeltap_model, name)

    def __dir__(self) -> list[str]:
        return dir(self._modeltap_model)

    def __repr__(self) -> str:
        return repr(self._modeltap_model)

    def __reduce__(self) -> tuple[Any, ...]:
        return _bare, (self._modeltap_model,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model; collected when the model can be called."""
        return self._modeltap_call("__call__", self._modeltap_model, *args, **kwargs)

    def __len__(self) -> int:
        return len(self._modeltap_model)

    def __getitem__(self, key: Any) -> Any:
        return self._modeltap_model[key]

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The model's class: ``isinstance`` answers as for the bare model."""
        return type(object.__getattribute__(self, "_modeltap_model"))


def wrap(model: Any, name: str, version: str | None = None) -> Any:
    """Collect what goes into and comes out of a model.

    Args:
        model: an object with ``predict``, ``predict_proba`` or ``decision_function``, or a callable.
        name: the model's name in the store.
        version: its version; default: ``MODELTAP_MODEL_VERSION``.

    Returns:
        An object that behaves like the model. Column names come from ``feature_names_in_`` and
        ``classes_``; pickling it gives the bare model.
    """
    return Wrapped(model, name, version)


def collect(name: str, version: str | None = None) -> Callable[[F], F]:
    """Collect argument and result of a function ``f(X) -> y``, sync or async.

    Args:
        name: the model's name in the store.
        version: its version; default: ``MODELTAP_MODEL_VERSION``.
    """

    def decorate(function: F) -> F:
        taps: list[_Tap] = []

        def tap() -> _Tap:
            if not taps:
                taps.append(_Tap(name, version))
            return taps[0]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with _scope():
                _before(tap(), args, kwargs)
                try:
                    result = function(*args, **kwargs)
                except Exception as error:
                    tap().failed(error)
                    raise
                tap().outputs(()).collect(result)
            return result

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with _scope():
                _before(tap(), args, kwargs)
                try:
                    result = await function(*args, **kwargs)
                except Exception as error:
                    tap().failed(error)
                    raise
                tap().outputs(()).collect(result)
            return result

        return call_async if inspect.iscoroutinefunction(function) else call  # type: ignore[return-value]

    return decorate


def _before(tap: _Tap, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if args:
        tap.inputs.collect(args[-1] if len(args) == 2 and not _is_data(args[0]) else args[0])
    else:
        tap.inputs.collect(next(iter(kwargs.values()), None) if len(kwargs) == 1 else kwargs)


def _is_data(value: Any) -> bool:
    """Whether a first argument is data and no ``self``."""
    return isinstance(value, list | tuple | dict | str | int | float) or hasattr(value, "__len__")


def _plain_names(model: Any, attribute: str) -> list[str] | None:
    try:
        names = getattr(model, attribute, None)
        return None if names is None else [str(name) for name in names]
    except Exception:
        return None


def _output_names(model: Any, method: str, result: Any) -> tuple[str, ...]:
    shape: tuple[int, ...] = getattr(result, "shape", ())
    width = shape[1] if len(shape) == 2 else 1
    prefix = {"predict_proba": "probability", "decision_function": "decision"}.get(method, "prediction")
    classes = _plain_names(model, "classes_") if method != "predict" else None
    if classes and len(classes) == width:
        return tuple(f"{prefix}_{name}" for name in classes)
    return (prefix,) if width == 1 else tuple(f"{prefix}_{place}" for place in range(width))


def _bare(model: Any) -> Any:
    return model

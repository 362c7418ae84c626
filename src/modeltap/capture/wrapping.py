"""Collecting without a collector: a model or a function whose calls are collected as they happen.

``wrap(model, name)`` collects the argument of ``predict``, ``predict_proba`` and ``decision_function``
as ``inputs`` and what they return as ``predictions``; a call that fails leaves its input and a row
under ``exceptions``, and its exception goes on unchanged. ``@collect(name)`` does the same for a
function of one argument. Each call is a request of its own, unless it stands inside one.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from itertools import islice
from typing import Any, SupportsIndex, TypeVar

from modeltap.capture.collector import ModelDataCollector
from modeltap.capture.fields import MAX_COLUMNS
from modeltap.capture.pairing import Turn
from modeltap.capture.scope import current_request, request

F = TypeVar("F", bound=Callable[..., Any])

METHODS = ("predict", "predict_proba", "decision_function")
SPECIAL = ("__call__", "__len__", "__bool__", "__iter__", "__getitem__", "__contains__", "__enter__", "__exit__")
MAX_MESSAGE_CHARACTERS = 2000


class _Tap:
    """The collectors of one model, made when they are first needed."""

    def __init__(self, name: str, version: str | None, feature_names: Iterable[str] | None = None) -> None:
        self._options = {"model_name": name, "model_version": version or "default"}
        self._inputs = ModelDataCollector(designation="inputs", feature_names=feature_names, **self._options)
        self._outputs: dict[tuple[str, tuple[str, ...]], ModelDataCollector] = {}

    def collect_inputs(self, values: Any) -> Turn | None:
        """Collect what goes in; gives what the result belongs to, however many calls come between."""
        self._inputs.collect(values)
        return self._inputs.turn()

    def collect_result(self, turn: Turn | None, result: Any, names: tuple[str, ...] = ()) -> None:
        """Collect what comes out, in columns of these names."""
        self._collect(turn, "predictions", names, result)

    def collect_failure(self, turn: Turn | None, error: Exception) -> None:
        """Collect an exception."""
        self._collect(turn, "exceptions", (), {"type": type(error).__qualname__, "message": _message(error)})

    def _collect(self, turn: Turn | None, designation: str, names: tuple[str, ...], values: Any) -> None:
        found = self._outputs.get((designation, names))
        if found is None:
            found = ModelDataCollector(designation=designation, feature_names=names or None, **self._options)
            self._outputs[designation, names] = found
        found.turn_to(turn)
        found.collect(values)


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

    __slots__ = ("__weakref__", "_modeltap_model", "_modeltap_tap")

    def __init__(self, model: Any, name: str, version: str | None) -> None:
        object.__setattr__(self, "_modeltap_model", model)
        object.__setattr__(self, "_modeltap_tap", _Tap(name, version, _plain_names(model, "feature_names_in_")))

    def __getattr__(self, name: str) -> Any:
        model = object.__getattribute__(self, "_modeltap_model")
        found = getattr(model, name)
        if name in METHODS and callable(found):
            return _tapped(found, self._modeltap_call, name)
        return found

    def _modeltap_call(self, method: str, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        tap: _Tap = object.__getattribute__(self, "_modeltap_tap")
        values = args[0] if args else next(iter(kwargs.values()), None)
        with _scope():
            turn = tap.collect_inputs(values)
            try:
                result = call(*args, **kwargs)
            except Exception as error:
                tap.collect_failure(turn, error)
                raise
            tap.collect_result(turn, result, _output_names(self._modeltap_model, method, result))
        return result

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._modeltap_model, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._modeltap_model, name)

    def __dir__(self) -> list[str]:
        return dir(self._modeltap_model)

    def __repr__(self) -> str:
        return repr(self._modeltap_model)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return _bare, (self._modeltap_model,)

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """The model's attributes: whether it is fitted is read off them."""
        found: dict[str, Any] = vars(self._modeltap_model)
        return found

    def __copy__(self) -> Any:
        return copy.copy(self._modeltap_model)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The model's class: ``isinstance`` answers as for the bare model."""
        return type(object.__getattribute__(self, "_modeltap_model"))


def _tapped(found: Callable[..., Any], call: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The model's method, with its own name, text and signature."""

    @functools.wraps(found)
    def tapped(*args: Any, **kwargs: Any) -> Any:
        return call(name, found, args, kwargs)

    return tapped


def _own(name: str) -> Callable[..., Any]:
    """A special method of the model's: Python asks the class for these, never the object."""
    if name == "__call__":
        return lambda self, *args, **kwargs: self._modeltap_call(name, self._modeltap_model, args, kwargs)
    return lambda self, *args: getattr(self._modeltap_model, name)(*args)


def _class_for(model: type) -> type[Wrapped]:
    """A wrapper with those special methods that the model has, and no others."""
    there = {name for base in model.__mro__ for name in vars(base)}
    own: dict[str, Any] = {name: _own(name) for name in SPECIAL if name in there}
    return type(model.__name__, (Wrapped,), {"__slots__": (), **own})


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
    return _class_for(type(model))(model, name, version)


def collect(name: str, version: str | None = None) -> Callable[[F], F]:
    """Collect argument and result of a function ``f(X) -> y``, sync or async.

    Args:
        name: the model's name in the store.
        version: its version; default: ``MODELTAP_MODEL_VERSION``.
    """

    def decorate(function: F) -> F:
        is_method = _first_parameter(function) in ("self", "cls")
        tap = functools.lru_cache(maxsize=1)(lambda: _Tap(name, version))

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with _scope():
                turn = tap().collect_inputs(_argument(args[is_method:], kwargs))
                try:
                    result = function(*args, **kwargs)
                except Exception as error:
                    tap().collect_failure(turn, error)
                    raise
                tap().collect_result(turn, result)
            return result

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with _scope():
                turn = tap().collect_inputs(_argument(args[is_method:], kwargs))
                try:
                    result = await function(*args, **kwargs)
                except Exception as error:
                    tap().collect_failure(turn, error)
                    raise
                tap().collect_result(turn, result)
            return result

        return call_async if inspect.iscoroutinefunction(function) else call  # type: ignore[return-value]

    return decorate


def _first_parameter(function: Callable[..., Any]) -> str:
    try:
        return next(iter(inspect.signature(function).parameters), "")
    except (TypeError, ValueError):
        return ""


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function of one argument was given: the first one, or all that have names as one record."""
    if args:
        return args[0]
    return next(iter(kwargs.values())) if len(kwargs) == 1 else kwargs


def _plain_names(model: Any, attribute: str) -> list[str] | None:
    try:
        names = getattr(model, attribute, None)
        return None if names is None else [str(name) for name in islice(names, MAX_COLUMNS)]
    except Exception:
        return None


def _output_names(model: Any, method: str, result: Any) -> tuple[str, ...]:
    prefix = {"predict_proba": "probability", "decision_function": "decision"}.get(method, "prediction")
    try:
        shape = result.shape
        width = int(shape[1]) if isinstance(shape, tuple) and len(shape) == 2 else 1
    except Exception:  # a result without a shape, or with one of its own kind
        width = 1
    classes = _plain_names(model, "classes_") if method != "predict" else None
    if classes and len(classes) == width:
        return tuple(f"{prefix}_{name}" for name in classes)
    return (prefix,) if width == 1 else tuple(f"{prefix}_{place}" for place in range(min(width, MAX_COLUMNS)))


def _bare(model: Any) -> Any:
    return model

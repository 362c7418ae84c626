"""The second-generation client's ``Collector`` on modeltap.

Its collections become designations, so that both generations give the same virtual tables and the
same pairing:

======================  ===============  =====================================================
collection              designation
======================  ===============  =====================================================
``model_inputs``        ``inputs``       the inputs call of a request
``model_outputs``       ``predictions``  paired with the inputs by the context or the request
any other               its own name     paired with the inputs where a context or scope says so
======================  ===============  =====================================================

The client names no model: it is that of ``AZUREML_MODEL_DIR`` when that ends in
``azureml-models/<model>/<version>``, as it does in the original's deployments, else ``default``.

Promises: ``collect`` takes whatever ``ModelDataCollector`` takes, never raises unless the user's own
``on_error`` does, and always returns a context. Turned off or sampled out is no error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from modeltap.capture.collector import ModelDataCollector
from modeltap.compat.context import Carried, CorrelationContext, MadeContext
from modeltap.core.correlation import REQUEST_ID
from modeltap.errors import ModeltapError, SettingsError

DESIGNATIONS = {"model_inputs": "inputs", "model_outputs": "predictions"}
MODELS_FOLDER = "azureml-models"


class Collector:
    """Collects one collection of a deployed model.

    Args:
        name: the collection, ``model_inputs``, ``model_outputs`` or any other.
        on_error: called with the exception when something could not be collected; default: the reason
            is counted and logged, and scoring goes on.
    """

    def __init__(self, *, name: str, on_error: Callable[[Exception], Any] | None = None) -> None:
        self.name = name
        self._on_error = on_error
        self._collector: ModelDataCollector | None = None
        if not isinstance(name, str) or not name:  # type: ignore[redundant-expr]  # scoring files are not type-checked
            self._report(SettingsError(f"making a Collector: {name!r} is no name; give the collection's, as text"))
            return
        model, version = served_model(os.environ)
        self._collector = ModelDataCollector(
            model, designation=DESIGNATIONS.get(name.lower(), name), model_version=version
        )

    def collect(self, data: Any, correlation_context: CorrelationContext | None = None) -> CorrelationContext:
        """Collect the rows of one call.

        Args:
            data: a data frame or any other table of N rows.
            correlation_context: what an earlier ``collect`` of the request returned, so that these rows
                join its rows, or a context of the user's own, whose id becomes their correlation id.

        Returns:
            A context for the further calls of this request.
        """
        problem: Exception | None
        try:
            returned, problem = self._collect(data, correlation_context)
        except Exception as error:  # noqa: BLE001  a context of the user's own may raise anything
            returned, problem = correlation_context or MadeContext(), error
        if problem is not None:
            self._report(problem)
        return returned

    def _collect(
        self, data: Any, context: CorrelationContext | None
    ) -> tuple[CorrelationContext, ModeltapError | None]:
        if self._collector is None:
            return context or MadeContext(), None
        if isinstance(context, Carried) and context.correlations is not None:
            joined = self._collector.add_correlations(data, context.correlations)
            return context, self._refusal(self._collector.collect(joined))
        own = context.context if isinstance(context, Carried) else context
        user_id = "" if own is None or isinstance(own, MadeContext) else own.get_id()
        correlations = self._collector.collect(data, user_correlation_id=user_id)
        made = own or MadeContext(id=correlations[REQUEST_ID] if correlations is not None else None)
        return Carried(made, correlations), self._refusal(correlations)

    def _refusal(self, correlations: Mapping[str, Any] | None) -> ModeltapError | None:
        if correlations is not None:
            return None
        return ModeltapError(
            f"collecting {self.name}: the rows were rejected; modeltap.stats() counts the reason, the log tells it"
        )

    def _report(self, error: Exception) -> None:
        if self._on_error is not None:
            self._on_error(error)


def served_model(environment: Mapping[str, str]) -> tuple[str, str]:
    """Name and version of the deployed model, from where its files stand; ``default`` where they do not say.

    A version that the environment names wins over the folder's.
    """
    parts = PurePath(environment.get("AZUREML_MODEL_DIR", "")).parts
    if MODELS_FOLDER not in parts:
        return "default", "default"
    model, version, *_ = (*parts[parts.index(MODELS_FOLDER) + 1 :], "", "")
    named = environment.get("MODELTAP_MODEL_VERSION", "").strip()
    return model or "default", "default" if named else version or "default"

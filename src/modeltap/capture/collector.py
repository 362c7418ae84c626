"""The collector: one designation of one model, as the scoring file knows it.

Promises: ``collect()`` never raises an ``Exception``, never prints, takes no lock, does one buffered
write to a local file; what it was given is snapshotted before it returns; a dict comes back for every
row that is accepted, switched off or sampled out, None when the rows were rejected (counted by reason,
logged once a minute).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from time import time_ns
from typing import Any

from modeltap import runtime
from modeltap.capture import (
    carrying,
    control,  # noqa: F401  loaded with the collector: an import that a fork cuts in two never ends in the child
)
from modeltap.capture.cells import Refused
from modeltap.capture.identity import Identity, correlation_ids, encoded_id, identities, user_ids_of
from modeltap.capture.naming import DEFAULT, collection_key
from modeltap.capture.pairing import UNKNOWN_ROWS, Pairing, Request, Turn
from modeltap.capture.planning import Plan, Planner
from modeltap.capture.reading import reader_of, readers
from modeltap.capture.records import Shape
from modeltap.capture.scope import ImplicitScope, current_lane, current_request, implicit_scopes
from modeltap.capture.tables import NOTHING, Table, frames_of
from modeltap.capture.telling import described, row_count
from modeltap.core.correlation import (
    CORRELATION_COLUMNS,
    CORRELATION_ID,
    REQUEST_ID,
    SCORING_TIMESTAMP,
)
from modeltap.core.instants import MICROSECONDS_PER_DAY, instant_text
from modeltap.spool.frame import FIXED, NO_ROW
from modeltap.spool.writer import SpoolWriter

INPUTS = frozenset({"inputs", "model_inputs"})
"""Designations whose calls are inputs calls: they begin a request, and others pair with them."""

next_sequence = count().__next__
pack_fixed = FIXED.pack


class ModelDataCollector:
    """Collects the rows of one designation (inputs, predictions, ...) of a model.

    Args:
        model_name: name of the model.
        designation: what is collected; any name. ``identifier`` is the same argument's older name.
        feature_names: column names of arrays and lists; data frames and dicts bring their own.
        workspace: ``<subscription>/<resource group>/<workspace>``; default: ``MODELTAP_WORKSPACE``.
        webservice_name: default: ``MODELTAP_SERVICE``.
        model_version: default: ``MODELTAP_MODEL_VERSION``.
        collection_name: accepted for the original's scoring files; it has no effect.
        identifier: see ``designation``.

    The constructor never raises: with a name that no path can hold, every row is rejected as
    ``bad_name`` and the log says what to change.
    """

    def __init__(
        self,
        model_name: str,
        designation: str = DEFAULT,
        feature_names: Iterable[str] | None = None,
        workspace: str = "default/default/default",
        webservice_name: str = DEFAULT,
        model_version: str = DEFAULT,
        collection_name: str = DEFAULT,
        *,
        identifier: str | None = None,
    ) -> None:
        self._runtime = runtime.current()
        settings = self._runtime.settings
        is_left = type(designation) is str and designation == DEFAULT
        given = identifier if identifier is not None and is_left else designation
        self._key, self._problem = collection_key(
            settings, model_name, given, workspace, webservice_name, model_version
        )
        self._designation = self._key.designation
        self._is_inputs = self._designation in INPUTS
        self._implicit = implicit_scopes.setdefault(self._key.parts[:-1], ImplicitScope())
        self._counters = self._runtime.counters_of(self._key)
        self._planner = self._plan_with(feature_names)
        collecting = settings.collect and not settings.disabled
        self._shape = Shape(None, self._planner.has_one_name, self._planner.known, in_request=not collecting)
        self._shape_in_request = self._shape._replace(in_request=True)
        workspace_path = "/".join(self._key.parts[:3])
        self._correlation_values: dict[str, Any] = dict(
            zip(
                CORRELATION_COLUMNS,
                ("", "", settings.boundary_minutes, workspace_path, *self._key.parts[3:6], ""),
                strict=True,
            )
        )
        self._collecting = collecting
        self._printing = settings.debug

    def collect(self, input_data: Any, user_correlation_id: str | Sequence[str] = "") -> dict[str, Any] | None:
        """Collect rows; see the table of argument kinds in the documentation.

        Args:
            input_data: N rows x F columns: array, list, dict, data frame, record, scalar ...
            user_correlation_id: your own id for all rows, or N ids, one a row.

        Returns:
            The eight correlation values for ``add_correlations``, or None when the rows were
            rejected; ``modeltap.stats()`` has the reason.
        """
        try:
            return self._collect(input_data, user_correlation_id)
        except _Cut as cut:
            self._reject(cut.cause, input_data, cut.rows)
        except Exception as error:
            self._reject(error, input_data, row_count(input_data))
        return None

    def add_correlations(self, data: Any, correlations: Any) -> Any:
        """Add the eight correlation columns to predictions.

        Args:
            data: N rows in any form that ``collect`` takes; it is not changed.
            correlations: what ``collect`` returned; with None the data come back unchanged.

        Returns:
            The data with the eight columns behind its own, in the same form. ``collect`` takes them
            out again, so predictions join the inputs also across threads and processes.
        """
        try:
            return carrying.add_correlations(data, correlations, self._planner.has_one_name)
        except Exception as error:
            self._tell("add_correlations", "adding correlations to", data, f"{described(error)}; they are left out")
            return data

    def turn(self) -> Turn | None:
        """For wrappers: which inputs call of the current request was the latest here."""
        request = current_request()
        return None if request is None else request.pairing(self._implicit).turn(current_lane())

    def turn_to(self, turn: Turn | None) -> None:
        """For wrappers: the next call belongs to that inputs call."""
        if turn is not None:
            turn.pairing.turn_to(turn, self._designation)

    def _plan_with(self, feature_names: Iterable[str] | None) -> Planner:
        try:
            return Planner(self._key, feature_names)
        except Exception as error:
            cause = f"{described(error)}; columns are c0, c1 ..."
            self._tell("bad_feature_names", "reading feature names from", feature_names, cause)
            return Planner(self._key, None)

    def _collect(self, data: Any, user_id: str | Sequence[str]) -> dict[str, Any]:  # noqa: C901, PLR0912  see its first line
        # One long straight function: every call that it makes is felt by every prediction.
        lane, request = current_lane(), current_request()
        shape = self._shape if request is None else self._shape_in_request
        if request is not None:
            pairing = request.pairing(self._implicit)
        elif self._is_inputs:
            pairing = self._implicit.begin(lane)
        else:
            pairing = self._implicit.current(self._designation, lane)
        request, expected = pairing.request, None
        if not self._is_inputs:
            expected = pairing.expected(self._designation, lane)
            if expected is not None and expected[1] != UNKNOWN_ROWS:
                shape = shape._replace(expected_rows=expected[1])
        microseconds = time_ns() // 1000
        try:
            table = (readers.get(type(data)) or reader_of(data))(data, shape)
        except Exception:
            self._note_unread(pairing, lane)
            if self._collecting:
                raise
            self._counters.off += row_count(data)
            table = NOTHING
        rows = table.rows
        first_row = (
            pairing.add_inputs(rows, lane) if self._is_inputs else pairing.place(self._designation, rows, expected)
        )
        if not self._collecting:
            self._counters.off += rows
        try:
            if type(user_id) is not str:
                user_id = user_ids_of(user_id, rows) if rows else ""
            if rows and self._collecting:
                self._store(table, request, first_row, microseconds, user_id or request.correlation_id)
        except Exception as error:
            if self._collecting:
                raise error if type(error) is _Cut else _Cut(error, rows) from error
            user_id = ""
        user_id = user_id or request.correlation_id
        values = self._correlation_values.copy()
        if user_id:
            values[CORRELATION_ID] = correlation_ids(user_id, request, first_row, rows)
        else:
            values[CORRELATION_ID] = request.correlation_uuid(first_row, rows)
        values[SCORING_TIMESTAMP] = instant_text(microseconds)
        values[REQUEST_ID] = request.request_id
        return values

    def _note_unread(self, pairing: Pairing, lane: object) -> None:
        """A call whose rows are unknown counts as a call all the same, so later ordinals stay right."""
        if self._is_inputs:
            pairing.add_inputs(UNKNOWN_ROWS, lane)
        else:
            pairing.place(self._designation, 0, None)

    def _store(
        self, table: Table, request: Request, first_row: int | None, microseconds: int, user_id: str | list[str]
    ) -> None:
        writer, counters, rows = self._runtime.writer, self._counters, table.rows
        if writer is None or self._problem or self._printing:
            return self._store_nothing(table)
        plan = self._planner.plan(table)
        if plan.blanks:
            table, plan = self._planner.plan_without_blanks(table, plan)
        if plan.mismatch:
            counters.width_mismatch += rows
        payload = table.payload()
        if len(payload) > plan.room_bytes or table.carried is not None or type(user_id) is not str:
            runs = identities(table, request, first_row, microseconds, user_id)
            return self._store_runs(rows, plan, writer, runs, microseconds)
        identity = request.request_id.encode()
        own = encoded_id(user_id) if user_id else b""
        host = request.host_request_id.encode() if request.host_request_id else b""
        fixed = pack_fixed(
            next_sequence(),
            microseconds,
            microseconds // MICROSECONDS_PER_DAY,
            rows,
            NO_ROW if first_row is None else first_row,
            100.0,
            0,
            len(identity),
            len(own),
            len(host),
        )
        refusal = writer.put(plan.descriptor, b"".join((fixed, identity, own, host, payload)), rows)
        if refusal is not None:
            raise Refused(refusal)
        counters.accepted += rows
        if first_row is None:
            counters.unpaired_rows += rows
        return None

    def _store_nothing(self, table: Table) -> None:
        """Rows that cannot be stored, or are to be shown instead (``AML_MODEL_DC_DEBUG``)."""
        if not self._printing:
            raise Refused("bad_name" if self._problem else "no_spool")
        shown = "\n".join(f"modeltap {self._key.folder} {row}" for row in self._planner.shown(table))
        print(shown)  # noqa: T201
        self._counters.off += table.rows

    def _store_runs(
        self, rest: int, plan: Plan, writer: SpoolWriter, runs: Iterable[tuple[Table, Identity]], microseconds: int
    ) -> None:
        """Calls that take several frames, or whose rows have ids of their own."""
        counters = self._counters
        try:
            for run, identity in runs:
                for offset, rows, payload in frames_of(run, plan.room_bytes, identity.ids_bytes):
                    body = identity.body(next_sequence(), microseconds, offset, rows, payload)
                    refusal = writer.put(plan.descriptor, body, rows)
                    if refusal is not None:
                        raise Refused(refusal)
                    counters.accepted += rows
                    rest -= rows
                counters.unpaired_rows += identity.unpaired_rows
        except Exception as error:
            raise _Cut(error, rest) from error

    def _reject(self, error: Exception, data: Any, rows: int) -> None:
        """Count and tell why rows were not taken; the log line is written off the scoring path."""
        refused = isinstance(error, Refused)
        reason = str(error) if refused else "error"
        self._counters.reject(reason, rows)
        advice = self._problem or "scoring goes on, modeltap doctor has the counts"
        self._tell(reason, "collecting", data, f"rejected as {reason if refused else described(error)}; {advice}")

    def _tell(self, reason: str, operation: str, data: Any, cause: str) -> None:
        """Have a sentence logged that names no value: logs are read by more people than rows are."""
        try:
            what = type(data).__name__
        except Exception:
            what = "value"
        self._runtime.complain(reason, f"{self._key.model}/{self._key.designation}: {operation} a {what}: {cause}")


class _Cut(Exception):
    """Not all rows of a call were taken, for this cause; so many are rejected."""

    def __init__(self, cause: Exception, rows: int) -> None:
        super().__init__(rows)
        self.cause = cause
        self.rows = rows

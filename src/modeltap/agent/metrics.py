"""Metrics of the agent, in the text form that Prometheus reads: ``modeltap agent --listen 127.0.0.1:9464``.

Promises: a scrape reads what the agent last knew and never waits for it; it serves ``/metrics`` and ``/healthz``
and nothing else; no secret stands in it. Counters of scoring processes come from ``writers/``, those of shipped
rows begin with the agent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modeltap.agent.control import AgentControl
from modeltap.agent.scorers import Service, reasons, services_of
from modeltap.errors import SettingsError
from modeltap.shipping.effects import Progress

STUCK_SECONDS = 300.0
"""Longer than the longest flush interval and a few retries."""
_HELP = {
    "modeltap_rows_accepted_total": ("counter", "rows that collect() took"),
    "modeltap_rows_rejected_total": ("counter", "rows that collect() did not take"),
    "modeltap_rows_dropped_total": ("counter", "rows that were taken and given up"),
    "modeltap_rows_shipped_total": ("counter", "rows that are in the store"),
    "modeltap_rows_quarantined_total": ("counter", "rows that were set aside"),
    "modeltap_spool_bytes": ("gauge", "bytes that wait to be shipped"),
    "modeltap_oldest_unshipped_seconds": ("gauge", "how long the oldest row that was read has waited"),
    "modeltap_up": ("gauge", "1 while nothing hinders shipping"),
}


def metrics_text(services: list[Service], progress: Progress | None) -> str:
    """The metrics of one agent."""
    samples: dict[str, list[str]] = {name: [] for name in _HELP}
    for service in services:
        for collection, counters in service.collections.items():
            labels = _labels(service, collection)
            samples["modeltap_rows_accepted_total"].append(f"{{{labels}}} {counters.get('accepted', 0)}")
            for kind in ("rejected", "dropped"):
                for reason, rows in reasons(counters, kind):
                    samples[f"modeltap_rows_{kind}_total"].append(f'{{{labels},reason="{_escaped(reason)}"}} {rows}')
    if progress is not None:
        samples["modeltap_rows_shipped_total"].append(f" {progress.shipped_rows}")
        samples["modeltap_rows_quarantined_total"].append(f" {sum(progress.quarantined.values())}")
        samples["modeltap_spool_bytes"].append(f" {progress.backlog_bytes}")
        samples["modeltap_oldest_unshipped_seconds"].append(f" {progress.oldest_seconds:.3f}")
        samples["modeltap_rows_dropped_total"] += [
            f'{{reason="{_escaped(reason)}"}} {rows}' for reason, rows in progress.dropped.items()
        ]
    samples["modeltap_up"].append(f" {int(progress is not None and progress.last_error is None)}")
    return "".join(_family(name, found) for name, found in samples.items())


def _family(name: str, samples: list[str]) -> str:
    kind, text = _HELP[name]
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n" + "".join(f"{name}{sample}\n" for sample in samples)


def _labels(service: Service, collection: str) -> str:
    model, _, rest = collection.partition("/")
    version, _, designation = rest.partition("/")
    values = {"service": service.name, "model": model, "version": version, "designation": designation}
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@contextmanager
def serving(control: AgentControl, address: str) -> Iterator[int]:
    """Serve the metrics of an agent during a block; gives the port, 0 for no address.

    Args:
        control: of the agent.
        address: ``host:port``; empty for none. Port 0 takes a free one.

    Raises:
        SettingsError: the address is none.
        OSError: it cannot be listened on.
    """
    if not address:
        yield 0
        return
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        raise SettingsError(f"serving metrics at {address!r}: it is no address; write host:port, e.g. 127.0.0.1:9464")
    server = ThreadingHTTPServer((host.strip("[]") or "127.0.0.1", int(port)), _handler(control))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="modeltap-metrics", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=1.0)


def _health(progress: Progress | None) -> tuple[int, str]:
    if progress is None:
        return 503, "starting\n"
    if progress.oldest_seconds > STUCK_SECONDS:
        return 503, f"rows have waited for {progress.oldest_seconds:.0f} s; modeltap doctor says why\n"
    return 200, "ok\n"


def _handler(control: AgentControl) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        timeout = 5.0

        def do_GET(self) -> None:
            """Answer."""
            progress = control.progress
            if self.path == "/metrics":
                self._answer(200, metrics_text(services_of(control.known_scorers), progress))
            elif self.path == "/healthz":
                self._answer(*_health(progress))
            else:
                self._answer(404, "there are /metrics and /healthz\n")

        def _answer(self, code: int, text: str) -> None:
            data = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name there
            """Say nothing: a scrape every few seconds is no news."""

    return Handler

"""``modeltap serve score.py``: hosts a scoring file of the original on uvicorn and starlette.

``POST /score`` hands a request's body to ``run``, ``GET /`` says that the service is there. The wire is
that of ``azureml-inference-server-http``: how arguments are read, how answers are written, which ids
go in and out, what a failure looks like.
"""

from __future__ import annotations

from modeltap.serving.server import serve

__all__ = ["serve"]

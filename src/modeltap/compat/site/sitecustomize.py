"""Puts modeltap's import aliases on at the start of a Python process, then steps aside.

``modeltap run`` puts this file's folder in front of ``PYTHONPATH``. Python imports ``sitecustomize``
before any program runs; the aliases go on, the folder leaves ``sys.path``, and the ``sitecustomize``
that would have run otherwise runs now. A Python without modeltap goes on without the aliases.
"""

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != _HERE]

try:
    from modeltap.compat.imports import install
except ImportError as error:
    sys.stderr.write(
        f"modeltap run: {sys.executable} cannot import modeltap ({error}), so the import aliases are off in it; "
        "install modeltap for this interpreter\n"
    )
else:
    install()

_next = PathFinder.find_spec("sitecustomize")
if _next is not None and _next.loader is not None:
    sys.modules["sitecustomize"] = _module = module_from_spec(_next)
    _next.loader.exec_module(_module)

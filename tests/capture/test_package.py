"""The package's front: what a star import, dir() and an unknown name give."""

from __future__ import annotations

import logging
from importlib import import_module

import pytest

import modeltap
from support.pythons import python


def test_the_names_of_the_package_are_those_that_it_lists():
    assert dir(modeltap) == sorted(modeltap.__all__)
    assert set(modeltap._PLACES) | set(modeltap._MODULES) | {"__version__"} == set(modeltap.__all__)


@pytest.mark.parametrize("name", sorted(modeltap._PLACES))
def test_a_name_is_the_one_of_its_module(name: str):
    assert getattr(modeltap, name) is getattr(import_module(modeltap._PLACES[name]), name)


@pytest.mark.parametrize("name", ["nothing", "_nothing", "", "capture.collector", "modeldatacollector"])
def test_an_unknown_name_is_an_attribute_error_that_says_it(name: str):
    with pytest.raises(AttributeError, match=f"module 'modeltap' has no attribute '{name}'"):
        getattr(modeltap, name)


def test_everything_can_be_imported_at_once():
    shown = python("from modeltap import *; print(ModelDataCollector.__name__, callable(wrap), callable(request))")
    assert (shown.out, shown.err) == ("ModelDataCollector True True\n", "")


def test_the_first_use_of_a_name_loads_it_and_no_more():
    script = """
import sys, modeltap
modeltap.request
print("modeltap.capture.scope" in sys.modules, "modeltap.runtime" in sys.modules, "asyncio" in sys.modules)
modeltap.ModelDataCollector
print(sorted(name for name in ("numpy", "pandas", "polars", "pyarrow", "flask", "asyncio") if name in sys.modules))
"""
    assert python(script).out == "True False False\n[]\n"


def test_a_program_that_configured_no_logging_hears_nothing():
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("modeltap").handlers)

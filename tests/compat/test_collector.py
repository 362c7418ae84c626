"""The second-generation client's API, in real scoring processes, read back from the store."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from modeltap.compat.collector import served_model
from modeltap.compat.context import BasicCorrelationContext, Carried, MadeContext, get_context
from support.pythons import command
from support.servers import collecting, joined, rows_of

pytestmark = pytest.mark.timeout(300)  # frames, models and servers load slowly on a busy machine

HEAD = """
import modeltap, pandas as pd
from modeltap.compat import BasicCorrelationContext, Collector
inputs, outputs = Collector(name="model_inputs"), Collector(name="model_outputs")
frame = lambda *numbers: pd.DataFrame({"number": numbers})
"""


def collected(folder: Path, script: str, **variables: str) -> str:
    """Run a scoring process to its end; gives what it printed."""
    ended = command([sys.executable, "-c", HEAD + script], cwd=folder, **collecting(folder, "svc", **variables))
    assert ended.err == ""
    return ended.out


def test_inputs_and_outputs_join_by_the_context_as_in_the_originals_sample(tmp_path: Path):
    out = collected(
        tmp_path,
        """
seen = set()
for number in range(200):
    context = inputs.collect(frame(number, number + 0.5))
    context = outputs.collect(frame(2 * number, 2 * number + 1), context)
    seen.add(context.get_id())
print(len(seen))
""",
    )
    assert out == "200\n"
    pairs = joined(rows_of(tmp_path, "inputs", 400), rows_of(tmp_path, "predictions", 400))
    assert len({row["$RequestId"] for row, _ in pairs}) == 200
    assert all(float(prediction["number"]) == 2 * float(row["number"]) for row, prediction in pairs)
    assert {row["$CorrelationId"] for row, _ in pairs} == {""}


def test_the_context_joins_across_threads_even_when_one_context_of_the_users_serves_all(tmp_path: Path):
    collected(
        tmp_path,
        """
from concurrent.futures import ThreadPoolExecutor
shared = BasicCorrelationContext(id="always the same")
with ThreadPoolExecutor(4) as first, ThreadPoolExecutor(4) as second:
    contexts = list(first.map(lambda number: (number, inputs.collect(frame(number), shared)), range(200)))
    assert all(context is not shared and context.get_id() == "always the same" for _, context in contexts)
    list(second.map(lambda given: outputs.collect(frame(2 * given[0]), given[1]), reversed(contexts)))
""",
    )
    pairs = joined(rows_of(tmp_path, "inputs", 200), rows_of(tmp_path, "predictions", 200))
    assert all(int(prediction["number"]) == 2 * int(row["number"]) for row, prediction in pairs)
    assert {row["$CorrelationId"] for pair in pairs for row in pair} == {"always the same"}


def test_a_third_collection_keeps_its_name_and_joins_too(tmp_path: Path):
    collected(
        tmp_path,
        """
both = Collector(name="model_inputs_outputs")
context = inputs.collect(frame(1, 2))
outputs.collect(frame(3, 4), context)
both.collect(pd.DataFrame({"number": [1, 2], "doubled": [3, 4]}), context)
""",
    )
    pairs = joined(rows_of(tmp_path, "inputs", 2), rows_of(tmp_path, "model_inputs_outputs", 2))
    assert [prediction["doubled"] for _, prediction in pairs] == ["3", "4"]


def test_outputs_join_within_a_request_without_any_context(tmp_path: Path):
    collected(
        tmp_path, "for number in range(50):\n    inputs.collect(frame(number)); outputs.collect(frame(2 * number))"
    )
    pairs = joined(rows_of(tmp_path, "inputs", 50), rows_of(tmp_path, "predictions", 50))
    assert all(int(prediction["number"]) == 2 * int(row["number"]) for row, prediction in pairs)


def test_what_cannot_be_collected_is_told_to_on_error_and_never_raised(tmp_path: Path):
    out = collected(
        tmp_path,
        """
told = []
telling = Collector(name="model_inputs", on_error=told.append)
context = telling.collect(object())
inputs.collect(object())
outputs.collect(frame(1), context)
nameless = Collector(name="", on_error=told.append)
nameless.collect(frame(1))
class Bad(BasicCorrelationContext):
    def get_id(self): raise OSError("bad context")
print(type(telling.collect(frame(1), Bad())).__name__)
for error in told: print(type(error).__name__, error)
print(modeltap.stats()["rejected"])
""",
    )
    lines = out.splitlines()
    assert lines[0] == "Bad"
    assert lines[1].startswith("ModeltapError collecting model_inputs: the rows were rejected")
    assert lines[2].startswith("SettingsError making a Collector: '' is no name")
    assert lines[3] == "OSError bad context"
    assert sum(eval(lines[4]).values()) == 2


def test_an_on_error_that_raises_is_the_users_own_wish(tmp_path: Path):
    out = collected(
        tmp_path,
        """
calls = []
def on_error(error):
    calls.append(error)
    raise error
collector = Collector(name="model_inputs", on_error=on_error)
try:
    collector.collect(object())
except modeltap.errors.ModeltapError as error:
    print("raised", len(calls))
""",
    )
    assert out == "raised 1\n"


def test_off_is_no_error(tmp_path: Path):
    out = collected(
        tmp_path,
        "print(Collector(name='model_inputs', on_error=print).collect(frame(1)) is not None)",
        MODELTAP_COLLECT_MODEL_DATA="false",
    )
    assert out == "True\n"


def test_a_deployments_folder_names_model_and_version(tmp_path: Path):
    collected(tmp_path, "inputs.collect(frame(1))", AZUREML_MODEL_DIR="/var/azureml-app/azureml-models/churn/7")
    rows_of(tmp_path, "inputs", 1)
    assert list((tmp_path / "store").glob("modeldata/*/*/*/svc/churn/7/inputs/*/*/*/data.csv"))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, ("default", "default")),
        ({"AZUREML_MODEL_DIR": "/models"}, ("default", "default")),
        ({"AZUREML_MODEL_DIR": "/a/azureml-models"}, ("default", "default")),
        ({"AZUREML_MODEL_DIR": "/a/azureml-models/m/3/files"}, ("m", "3")),
        ({"AZUREML_MODEL_DIR": "/a/azureml-models/m/3", "MODELTAP_MODEL_VERSION": "9"}, ("m", "default")),
    ],
)
def test_the_served_model_is_read_from_the_environment(environment: dict[str, str], named: tuple[str, str]):
    assert served_model(environment) == named


def test_a_context_says_what_it_was_given():
    context = BasicCorrelationContext("an id", 12, {"a": "b"})
    carried = Carried(context, None)
    for shown in (context, carried):
        assert (shown.get_id(), shown.get_timestamp(), shown.get_headers(), str(shown)) == (
            "an id",
            12,
            {"a": "b"},
            "an id",
        )
    assert len({get_context().get_id(), BasicCorrelationContext().get_id(), MadeContext().get_id()}) == 3


def test_a_users_own_context_shows_through():
    class Own(BasicCorrelationContext):
        tenant = "blue"

    assert Carried(Own(), None).tenant == "blue"
    with pytest.raises(AttributeError):
        Carried(Own(), None).nothing  # noqa: B018

"""Request scopes: explicit ones, the host's, and those that begin by themselves; in threads, tasks and forks."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

import flask
import pytest

import modeltap
from modeltap.capture.scope import current_lane, current_request
from modeltap.core.correlation import REQUEST_ID
from support.pythons import python
from support.spooled import Spooled, Start


class Model:
    """A scoring file: inputs in, predictions out, in the order in which it is told."""

    def __init__(self, name: str = "m", inputs: str = "inputs", predictions: str = "predictions") -> None:
        self._inputs = modeltap.ModelDataCollector(name, inputs)
        self._predictions = modeltap.ModelDataCollector(name, predictions)

    def inputs(self, number: int, rows: int = 1) -> Any:
        return self._inputs.collect([[number]] * rows)

    def predictions(self, number: int, rows: int = 1) -> Any:
        return self._predictions.collect([[number]] * rows)

    def run(self, number: int) -> None:
        self.inputs(number)
        self.predictions(number)


def paired(spooled: Spooled) -> list[int]:
    """The numbers of predictions whose inputs they join; a wrong join is an error of the test."""
    pairs = spooled.pairs()
    assert all(left.data == right.data for left, right in pairs), "a wrong join"
    return [right.data[0] for _, right in pairs]


def request_ids(spooled: Spooled, designation: str | None = None) -> list[str]:
    return [row.request_id for row in spooled.rows(designation)]


# ---- explicit


def test_a_scope_gives_one_id_to_all_that_is_collected_inside(spooled: Spooled):
    first, second = Model("first"), Model("second")
    with modeltap.request(host_request_id="host-7", correlation_id="loan-7") as scope:
        first.run(1)
        second.run(2)
        modeltap.ModelDataCollector("first", "labels").collect([[3]])
    rows = spooled.rows()
    assert {row.request_id for row in rows} == {scope.request_id}
    assert {(row.host_request_id, row.correlation_id) for row in rows} == {("host-7", "loan-7")}
    assert len(rows) == 5


def test_an_id_of_the_callers_is_kept_beside_and_never_joins(spooled: Spooled):
    model = Model()
    for number in range(3):
        with modeltap.request("the same header"):
            model.run(number)
    assert paired(spooled) == [0, 1, 2]
    assert len(set(request_ids(spooled))) == 3
    assert {row.host_request_id for row in spooled.rows()} == {"the same header"}


def test_an_id_of_the_rows_own_wins_over_that_of_the_scope(spooled: Spooled):
    collector = modeltap.ModelDataCollector("m", "inputs")
    with modeltap.request(correlation_id="scope"):
        collector.collect([[1]], "own")
        collector.collect([[1], [2]], ["a", "b"])
        correlations = collector.collect([[1]])
    assert [row.correlation_id for row in spooled.rows()] == ["own", "a", "b", "scope"]
    assert correlations is not None
    assert correlations["$aml_dc_correlation_id"].startswith("scope-")


def test_the_inner_scope_counts_and_the_outer_one_goes_on_after_it(spooled: Spooled):
    model = Model()
    with modeltap.request("outer"):
        model.inputs(1)
        with modeltap.request("inner"):
            model.run(2)
        model.predictions(1)
    assert paired(spooled) == [2, 1]
    assert [row.host_request_id for row in spooled.rows()] == ["outer", "inner", "inner", "outer"]
    assert current_request() is None


def test_a_scope_ends_with_an_exception_and_lets_it_pass(spooled: Spooled):
    with pytest.raises(KeyError), modeltap.request():
        raise KeyError("x")
    assert current_request() is None


def test_one_scope_may_be_entered_again_and_inside_itself(spooled: Spooled):
    model = Model()
    scope = modeltap.request()
    with scope, scope:
        model.inputs(1)
    with scope:
        model.predictions(1)
    assert paired(spooled) == [1]
    assert current_request() is None
    scope.__exit__(None, None, None)


def test_scopes_left_in_the_wrong_order_raise_nothing(spooled: Spooled):
    first, second = modeltap.request(), modeltap.request()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    first.__exit__(None, None, None)
    with modeltap.request() as scope:
        found = current_request()
        assert found is not None
        assert found.request_id == scope.request_id


def test_a_generator_that_is_left_in_another_context_raises_nothing(spooled: Spooled):
    model = Model()

    def stream() -> Iterator[int]:
        with modeltap.request():
            model.inputs(1)
            yield 1
            model.predictions(1)

    steps = stream()
    Context().run(next, steps)
    assert Context().run(list, steps) == []
    left = stream()
    Context().run(next, left)
    Context().run(left.close)
    assert current_request() is None


def test_a_scope_left_in_a_copy_of_its_context_ends_there_too(spooled: Spooled):
    with modeltap.request("outer"):
        scope = modeltap.request("inner")
        scope.__enter__()
        copied = copy_context()
        copied.run(scope.__exit__, None, None, None)
        found = copied.run(current_request)
        assert found is not None
        assert found.host_request_id == "outer"
        scope.__exit__(None, None, None)


def test_a_generator_keeps_its_scope_where_it_stays_in_one_context(spooled: Spooled):
    model = Model()

    def stream(number: int) -> Iterator[None]:
        with modeltap.request():
            model.inputs(number)
            yield
            model.predictions(number)

    for number in range(3):
        list(stream(number))
    assert paired(spooled) == [0, 1, 2]


@pytest.mark.parametrize("given", [object(), 17, None, b"\xff", ["x"], "x" * 100_000, "\ud800"])
def test_an_id_of_any_kind_makes_a_scope(spooled: Spooled, given: Any):
    with modeltap.request(given, given):
        Model().run(1)
    assert paired(spooled) == [1]


def test_an_id_without_a_text_makes_a_scope(spooled: Spooled):
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with modeltap.request(Bad(), Bad()):  # type: ignore[arg-type]
        Model().run(1)
    assert {(row.host_request_id, row.correlation_id) for row in spooled.rows()} == {("", "")}


# ---- by themselves


def test_an_inputs_call_begins_a_request_until_the_next_one(spooled: Spooled):
    model = Model()
    for number in range(1000):
        model.run(number)
    assert paired(spooled) == list(range(1000))
    assert len(set(request_ids(spooled))) == 1000
    assert modeltap.stats()["unpaired_rows"] == 0


def test_model_inputs_begin_a_request_too(spooled: Spooled):
    model = Model(inputs="model_inputs", predictions="model_outputs")
    for number in range(3):
        model.run(number)
    pairs = spooled.pairs("model_inputs", "model_outputs")
    assert [(left.data, right.data) for left, right in pairs] == [((n,), (n,)) for n in range(3)]


def test_a_service_without_inputs_begins_anew_when_a_designation_comes_again(spooled: Spooled):
    predictions = modeltap.ModelDataCollector("m", "predictions")
    labels = modeltap.ModelDataCollector("m", "labels")
    for number in range(4):
        predictions.collect([[number], [number]])
        labels.collect([[number], [number]])
    found = {row.request_id: row.row for row in spooled.rows("predictions")}
    assert list(found.values()) == [1] * 4
    assert [row.pair for row in spooled.rows("labels")] == [row.pair for row in spooled.rows("predictions")]
    assert modeltap.stats()["unpaired_rows"] == 0


def test_two_models_in_one_request_do_not_end_each_others(spooled: Spooled):
    first, second = Model("first"), Model("second")
    for number in range(10):
        first.inputs(number)
        second.inputs(100 + number)
        second.predictions(100 + number)
        first.predictions(number)
    assert sorted(paired(spooled)) == [*range(10), *range(100, 110)]


def test_two_versions_of_a_model_are_two_models(spooled: Spooled):
    old, new = (
        [modeltap.ModelDataCollector("m", name, model_version=version) for name in ("inputs", "predictions")]
        for version in ("1", "2")
    )
    for number in range(5):
        for collectors in (old, new):
            collectors[0].collect([[number]])
        for collectors in (old, new):
            collectors[1].collect([[number]])
    assert len(paired(spooled)) == 10
    assert len(set(request_ids(spooled))) == 10


def test_a_rejected_inputs_call_begins_a_request_too(spooled: Spooled):
    model = Model()
    model.run(1)
    model._inputs.collect(object())
    model.predictions(2)
    model.run(3)
    assert paired(spooled) == [1, 3]
    assert [row.row for row in spooled.rows("predictions")] == [0, None, 0]


def test_two_collectors_of_one_designation_share_its_requests(spooled: Spooled):
    for number in range(3):
        Model().inputs(number)
        Model().predictions(number)
    assert paired(spooled) == [0, 1, 2]


def test_inputs_that_are_off_are_remembered_with_their_rows(start: Start):
    start(MODELTAP_COLLECT_MODEL_DATA="false")
    off = Model()
    spooled = start(MODELTAP_COLLECT_MODEL_DATA="true")
    on = Model()
    correlations = off.inputs(1, rows=3)
    on._predictions.collect([7, 8, 9])
    rows = spooled.rows()
    assert [(row.row, row.data) for row in rows] == [(0, (7,)), (1, (8,)), (2, (9,))]
    assert {row.request_id for row in rows} == {correlations[REQUEST_ID]}


# ---- Flask


@pytest.fixture
def service(spooled: Spooled) -> flask.Flask:
    """A service whose routes collect inputs and predictions of their number."""
    found = flask.Flask(__name__)
    model = Model()

    @found.before_request
    def identify() -> None:
        if "own" in flask.request.args:
            flask.g.request_id = flask.request.args["own"]

    @found.get("/score/<int:number>")
    def score(number: int) -> str:
        model.inputs(number)
        model.predictions(number)
        return str(number)

    @found.get("/parts/<int:number>")
    def parts(number: int) -> str:
        for _ in range(3):
            model.inputs(number)
            model.predictions(number)
        return str(number)

    @found.get("/inner/<int:number>")
    def inner(number: int) -> str:
        model.inputs(number)
        with found.app_context():
            model.predictions(number)
        return str(number)

    return found


def test_a_flask_request_is_a_scope(spooled: Spooled, service: flask.Flask):
    client = service.test_client()
    for number in range(1000):
        assert client.get(f"/score/{number}").text == str(number)
    assert paired(spooled) == list(range(1000))
    assert len(set(request_ids(spooled))) == 1000


def test_calls_of_one_flask_request_share_its_id(spooled: Spooled, service: flask.Flask):
    service.test_client().get("/parts/1")
    service.test_client().get("/parts/2")
    assert paired(spooled) == [1, 1, 1, 2, 2, 2]
    assert [row.row for row in spooled.rows("inputs")] == [0, 1, 2, 0, 1, 2]
    assert len(set(request_ids(spooled))) == 2


def test_requests_under_one_application_context_are_requests_of_their_own(spooled: Spooled, service: flask.Flask):
    with service.app_context():
        client = service.test_client()
        for number in range(5):
            client.get(f"/score/{number}")
    assert paired(spooled) == [0, 1, 2, 3, 4]
    assert len(set(request_ids(spooled))) == 5


def test_an_application_context_inside_a_request_changes_nothing(spooled: Spooled, service: flask.Flask):
    service.test_client().get("/inner/1")
    assert paired(spooled) == [1]


@pytest.mark.parametrize(
    ("path", "environ", "headers", "expected"),
    [
        ("/score/1?own=g", {"REQUEST_ID": "e"}, {"x-request-id": "x"}, "g"),
        ("/score/1", {"REQUEST_ID": "e"}, {"x-request-id": "x"}, "e"),
        ("/score/1", {}, {"x-request-id": "x", "x-ms-client-request-id": "m"}, "x"),
        ("/score/1", {}, {"x-ms-client-request-id": "m"}, "m"),
        ("/score/1", {}, {}, ""),
    ],
)
def test_the_hosts_own_id_is_kept(
    spooled: Spooled, service: flask.Flask, path: str, environ: dict[str, str], headers: dict[str, str], expected: str
):
    service.test_client().get(path, environ_overrides=environ, headers=headers)
    assert [row.host_request_id for row in spooled.rows()] == [expected, expected]


def test_a_scope_inside_a_flask_request_counts(spooled: Spooled, service: flask.Flask):
    with service.test_request_context("/", headers={"x-request-id": "flask"}):
        with modeltap.request("inner"):
            Model().run(1)
        Model().run(2)
    assert [row.host_request_id for row in spooled.rows()] == ["inner", "inner", "flask", "flask"]


def test_a_flask_request_in_another_thread_is_still_that_request(spooled: Spooled, service: flask.Flask):
    model = Model()
    with service.test_request_context("/"):
        model.inputs(1)
        copied = flask.copy_current_request_context(model.predictions)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(copied, 1).result()
    assert paired(spooled) == [1]


def test_without_a_flask_request_there_is_no_host(spooled: Spooled, service: flask.Flask):
    with service.app_context():
        assert current_request() is None


# ---- threads


def test_threads_have_requests_of_their_own(spooled: Spooled):
    model = Model()
    barrier = threading.Barrier(4)

    def serve(start: int) -> None:
        barrier.wait()
        for number in range(start, start + 250):
            model.run(number)

    threads = [threading.Thread(target=serve, args=(1000 * place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paired(spooled)) == 1000
    assert len(set(request_ids(spooled))) == 1000


def test_a_thread_that_knows_nothing_of_the_request_joins_nothing(spooled: Spooled):
    model = Model()
    model.inputs(1)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(model.predictions, 1).result()
    assert paired(spooled) == []
    assert len(set(request_ids(spooled))) == 2


def test_a_scope_goes_with_a_copied_context(spooled: Spooled):
    model = Model()
    with ThreadPoolExecutor(2) as threads, modeltap.request():
        model.inputs(1)
        threads.submit(copy_context().run, model.predictions, 1).result()
    assert paired(spooled) == [1]


# ---- asyncio


def test_tasks_have_requests_of_their_own(spooled: Spooled):
    model = Model()

    async def serve(number: int) -> None:
        model.inputs(number)
        await asyncio.sleep(0)
        model.predictions(number)

    async def main() -> None:
        await asyncio.gather(*[serve(number) for number in range(100)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(100))
    assert len(set(request_ids(spooled))) == 100


def test_tasks_with_scopes_of_their_own(spooled: Spooled):
    model = Model()

    async def serve(number: int) -> None:
        with modeltap.request(str(number)):
            model.inputs(number)
            await asyncio.sleep(0)
            model.predictions(number)

    async def main() -> None:
        await asyncio.gather(*[serve(number) for number in range(100)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(100))
    assert all(row.host_request_id == str(row.data[0]) for row in spooled.rows())


def test_a_child_task_does_not_use_the_request_that_its_parent_began(spooled: Spooled):
    model = Model()

    async def child(number: int) -> None:
        model.predictions(number)

    async def main() -> None:
        model.inputs(1)
        await asyncio.gather(child(1), child(2))
        model.predictions(1)

    asyncio.run(main())
    assert paired(spooled) == [1]
    assert len(set(request_ids(spooled))) == 3


def test_child_tasks_of_one_scope_share_it_and_pair_each_with_its_own(spooled: Spooled):
    model = Model()

    async def part(number: int) -> None:
        model.inputs(number)
        await asyncio.sleep(0)
        model.predictions(number)

    async def main() -> None:
        with modeltap.request():
            await asyncio.gather(*[part(number) for number in range(10)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(10))
    assert len(set(request_ids(spooled))) == 1


def test_a_worker_thread_works_for_the_task_that_sent_it(spooled: Spooled):
    model = Model()

    async def serve(number: int) -> None:
        model.inputs(number)
        await asyncio.to_thread(model.predictions, number)

    async def main() -> None:
        await asyncio.gather(*[serve(number) for number in range(20)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(20))


def test_an_executor_without_the_tasks_context_joins_nothing(spooled: Spooled):
    model = Model()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        model.inputs(1)
        await loop.run_in_executor(None, model.predictions, 1)
        model.inputs(2)
        await loop.run_in_executor(None, copy_context().run, model.predictions, 2)

    asyncio.run(main())
    assert paired(spooled) == [2]


def test_a_whole_request_in_an_executor_is_a_request(spooled: Spooled):
    model = Model()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*[loop.run_in_executor(None, model.run, number) for number in range(50)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(50))
    assert len(set(request_ids(spooled))) == 50


def test_an_async_generator_keeps_its_scope(spooled: Spooled):
    model = Model()

    async def stream(number: int) -> AsyncIterator[int]:
        with modeltap.request():
            model.inputs(number)
            yield number
            await asyncio.sleep(0)
            model.predictions(number)

    async def read(number: int) -> None:
        async for _ in stream(number):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*[read(number) for number in range(20)])

    asyncio.run(main())
    assert sorted(paired(spooled)) == list(range(20))


def test_a_callback_belongs_to_the_task_that_asked_for_it(spooled: Spooled):
    model = Model()

    async def main() -> None:
        model.inputs(1)
        asyncio.get_running_loop().call_soon(model.predictions, 1)
        await asyncio.sleep(0.001)

    asyncio.run(main())
    assert paired(spooled) == [1]


def test_what_runs_here_is_the_task_or_else_the_thread():
    assert current_lane() == threading.get_ident()

    async def main() -> None:
        assert current_lane() is asyncio.current_task()

    asyncio.run(main())


# ---- fork


FORKING = """
import json, os, sys, warnings, modeltap
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which is what is tested
from modeltap.core.correlation import REQUEST_ID
model = [modeltap.ModelDataCollector("m", name) for name in ("inputs", "predictions")]

def child(name):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            print(json.dumps([name, model[1].collect([[2]])[REQUEST_ID], model[0].collect([[3]])[REQUEST_ID]]), flush=True)
            model[1].collect([[3]])
            modeltap.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0

%s
modeltap.close()
"""


BETWEEN = "model[0].collect([[1]]); model[1].collect([[1]]); child('a'); child('b')"
STEPS = "model[0].collect([[1]]); child('a'); child('b'); model[1].collect([[1]])"


@pytest.mark.parametrize(
    "script",
    [
        BETWEEN,
        STEPS,
        f"with modeltap.request(): {STEPS}",
        f"import flask\nwith flask.Flask('x').test_request_context('/'): {STEPS}",
    ],
    ids=["between requests", "by itself", "explicit", "flask"],
)
def test_a_forked_worker_is_not_in_the_request_in_which_it_was_started(start: Start, script: str):
    spooled = start()
    ended = python(FORKING % script)
    assert ended.err == ""
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert [name for name, *_ in told] == ["a", "b"]
    assert sorted(paired(spooled)) == [1, 3, 3]
    prefixes = {row.request_id[:24] for row in spooled.rows()}
    assert len(prefixes) == 3, "each process makes ids of its own"

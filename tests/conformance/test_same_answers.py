"""Two stores that are asked the same give the same answers, error by error."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from modeltap.errors import StoreError
from support.backends import Local, Memory

PATHS = ["modeldata/a/data.csv", "modeldata/a/data-1.csv", "modeldata/ab/data.csv", "modeltap/store.json", "a/../b"]
paths = st.sampled_from(PATHS)
texts = st.sampled_from([b"", b"a,b\r\n", b"1,2\r\n", b"1,2\r\n3,4\r\n", b"long" * 500])
batch_ids = st.sampled_from(["a", "b", "c"])
shifts = st.sampled_from([-9, -5, -1, 0, 0, 0, 0, 1, 5])


class TwoStores(RuleBasedStateMachine):
    """The store in memory says what the one on disk must say."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.model, self.local = Memory(self.folder), Local(self.folder)
        self.etags = {path: ([], []) for path in PATHS}

    def teardown(self):
        shutil.rmtree(self.folder)

    def both(self, verb):
        """Ask both; give their answers, which agree but for the ETags."""
        answers = [
            self._answer(backend.open(), number, verb) for number, backend in enumerate((self.model, self.local))
        ]
        assert answers[0] == answers[1]

    def _answer(self, store, number, verb):
        try:
            answer = verb(store, number)
        except StoreError as error:
            return type(error)
        if hasattr(answer, "etag"):
            self.etags[answer.path][number].append(answer.etag)
            return answer._replace(etag="")
        return answer

    def size(self, path):
        try:
            info = self.model.open().head(path)
        except StoreError:
            return 0
        return info.size if info else 0

    @rule(path=paths, header=texts, schema=st.sampled_from(["x", "y"]))
    def create(self, path, header, schema):
        self.both(lambda store, _: store.create(path, header, {"schema": schema}))

    @rule(path=paths, data=texts, batch_id=batch_ids, shift=shifts)
    def append(self, path, data, batch_id, shift):
        position = self.size(path) + shift
        self.both(lambda store, _: store.append(path, data, position=position, batch_id=batch_id))

    @rule(path=paths, data=texts, batch_id=batch_ids, position=st.integers(0, 30))
    def append_anywhere(self, path, data, batch_id, position):
        self.both(lambda store, _: store.append(path, data, position=position, batch_id=batch_id))

    @rule(path=paths, data=texts, batch_id=batch_ids, position=st.integers(0, 30))
    def holds(self, path, data, batch_id, position):
        digest = sha256(data).hexdigest()
        self.both(
            lambda store, _: store.holds(path, position=position, length=len(data), sha256=digest, batch_id=batch_id)
        )

    @rule(path=paths, data=texts, back=st.integers(0, 3))
    def put(self, path, data, back):
        """Unconditional, for a new document, or with one of the last ETags that were told."""

        def verb(store, number):
            conditions = [None, "", *reversed(self.etags[path][number][-2:]), "never told", "never told"]
            return store.put(path, data, if_match=conditions[back])

        self.both(verb)

    @rule(path=paths, start=st.integers(-1, 20), length=st.integers(-2, 20))
    def read(self, path, start, length):
        self.both(lambda store, _: store.read(path, start, length))

    @invariant()
    def same_files(self):
        if not hasattr(self, "folder"):
            return
        listings = []
        for backend in (self.model, self.local):
            store = backend.open()
            infos = list(store.list(""))
            listings.append([(info._replace(etag=""), store.read(info.path)) for info in infos])
            assert infos == [store.head(info.path) for info in infos]
        assert listings[0] == listings[1]


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(stateful_step_count=30)

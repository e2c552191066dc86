"""API writes, hand edits and restarts in any order, beside a model of what must be in force."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from registry.engines.exchange import clear_leftovers
from registry.engines.json_file import JsonFileEngine
from registry.errors import CatalogueUnreadable, EditHeld, IdTaken, NotFound, Quarantined
from registry.history import History
from registry.store import EnvironmentStore, utc_now
from registry.workspaces import Workspaces
from tests.chaos.folder import TOKEN, Folder, record, text_of
from tests.chaos.form import amount
from tests.chaos.stores import SAVES
from tests.fuzz.model import ROUTED, Item, Model, changed

SLUGS = st.sampled_from("abd")
WAYS = st.sampled_from(sorted(SAVES))
OWN = "env-z"
"""The record that an editor with an old buffer changes, and nobody else."""


class Catalogues(RuleBasedStateMachine):
    """One folder, its store, and the model of both."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Folder(Path(tempfile.mkdtemp(prefix="routebook-fuzz-")) / "lab")
        self.model, self.now, self.serial = Model(), utc_now(), 0
        self.buffer: list[Item] | None = None
        self.texts: dict[Item, dict[str, Any]] = {}

    def teardown(self) -> None:
        self.run(self.engine.aclose())
        self.loop.close()
        shutil.rmtree(self.folder.root.parent)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def token(self) -> str:
        self.serial += 1
        return f"state {self.serial}"

    @initialize()
    def begin(self) -> None:
        self.folder.make()
        self.open()
        self.save([Item(f"env-{slug}", self.token()) for slug in "abz"], "in place")

    def open(self) -> None:
        clear_leftovers(self.folder.catalogue)
        self.engine = JsonFileEngine(self.folder.catalogue)
        self.history = History(self.folder.data / "state")
        self.history.open(self.now)
        self.store = EnvironmentStore(
            self.engine,
            Workspaces(self.folder.projects),
            history=self.history,
            clock=lambda: self.now,
        )

    def text(self, item: Item) -> dict[str, Any]:
        """The record as the file has it, or is to have it."""
        made = record(item.id.removeprefix("env-"), item.token, routed=item.id in ROUTED)
        whole = self.texts.setdefault(Item(item.id, item.token), made)
        return {**whole, "lifecycle": {"state": "asleep"}} if item.broken else whole

    def save(self, items: list[Item], way: str) -> None:
        SAVES[way](self.folder.catalogue, text_of(self.text(each) for each in items))
        self.model.save(items)

    # --- through the API -----------------------------------------------------------------

    def write(self, slug: str, token: str | None, work: Coroutine[Any, Any, Any]) -> None:
        environment_id = f"env-{slug}"
        expected = self.refusal(environment_id, work.__name__)
        if expected:
            with pytest.raises(expected):
                self.run(work)
            return
        self.run(work)
        self.model.write(environment_id, token)

    def refusal(self, environment_id: str, verb: str) -> tuple[type[Exception], ...]:
        """What may refuse it: nothing when empty."""
        if not self.model.readable:
            return (CatalogueUnreadable,)
        there = environment_id in self.model.force
        broken = any(each.broken and each.id == environment_id for each in self.model.settled)
        if verb == "create" and (there or broken):
            return (IdTaken,)
        if verb != "create" and not (there or broken):
            return (NotFound,)
        if verb == "patch" and self.model.quarantined(environment_id):
            return (Quarantined, EditHeld) if self.model.held else (Quarantined,)
        return (EditHeld,) if self.model.held else ()

    @rule(slug=SLUGS)
    def create(self, slug: str) -> None:
        token = self.token()
        body = record(slug, token, routed=f"env-{slug}" in ROUTED)
        self.write(slug, token, self.store.create(body))

    @rule(slug=SLUGS)
    def patch(self, slug: str) -> None:
        token = self.token()
        self.write(slug, token, self.store.patch(f"env-{slug}", {TOKEN: token}))

    @rule(slug=SLUGS)
    def put(self, slug: str) -> None:
        token = self.token()
        body = record(slug, token, routed=f"env-{slug}" in ROUTED)
        self.write(slug, token, self.store.replace(f"env-{slug}", body))

    @rule(slug=SLUGS)
    def delete(self, slug: str) -> None:
        self.write(slug, None, self.store.delete(f"env-{slug}"))

    # --- by hand -------------------------------------------------------------------------

    def good(self, slug: str) -> Item | None:
        items = (each for each in self.model.file if each.id == f"env-{slug}")
        return next((each for each in items if not each.broken), None)

    @precondition(lambda self: self.model.readable)
    @rule(slug=SLUGS, way=WAYS)
    def change_by_hand(self, slug: str, way: str) -> None:
        item = self.good(slug)
        if item is not None:
            self.save(changed(self.model.file, item, token=self.token()), way)

    @precondition(lambda self: self.model.readable)
    @rule(slug=SLUGS, way=WAYS, first=st.booleans())
    def add_by_hand(self, slug: str, way: str, first: bool) -> None:
        """A second one of an id, too: then the incumbent stays."""
        new, file = [Item(f"env-{slug}", self.token())], self.model.file
        if sum(each.id == new[0].id for each in file) < 2:
            self.save(new + file if first else file + new, way)

    @precondition(lambda self: self.model.readable)
    @rule(slug=SLUGS, way=WAYS)
    def remove_by_hand(self, slug: str, way: str) -> None:
        self.save([each for each in self.model.file if each.id != f"env-{slug}"], way)

    @precondition(lambda self: self.model.readable)
    @rule(slug=SLUGS, way=WAYS)
    def break_by_hand(self, slug: str, way: str) -> None:
        item = self.good(slug)
        if item is not None and [each.id for each in self.model.file].count(item.id) == 1:
            self.save(changed(self.model.file, item, broken=True), way)

    @precondition(lambda self: self.model.readable and any(i.broken for i in self.model.file))
    @rule(way=WAYS)
    def mend_by_hand(self, way: str) -> None:
        """All that is broken: with new states, or away where there is a good one too."""
        good = {each.id for each in self.model.file if not each.broken}
        mended = [each for each in self.model.file if not each.broken or each.id not in good]
        for item in [each for each in mended if each.broken]:
            mended = changed(mended, item, broken=False, token=self.token())
        self.save(mended, way)

    @precondition(lambda self: self.model.readable)
    @rule(way=WAYS, cut=st.integers(0, 40))
    def make_unreadable(self, way: str, cut: int) -> None:
        """Cut off, or gone."""
        text = text_of(self.text(each) for each in self.model.file)
        SAVES[way](self.folder.catalogue, text[: -cut - 3])
        if cut == 0:
            self.folder.catalogue.unlink()
        self.model.readable = False

    @precondition(lambda self: not self.model.readable)
    @rule(way=WAYS)
    def put_back(self, way: str) -> None:
        self.save(self.model.file, way)

    @precondition(lambda self: self.buffer is None and self.model.readable)
    @rule()
    def open_in_an_editor(self) -> None:
        self.buffer = list(self.model.file)

    @precondition(lambda self: self.buffer is not None)
    @rule()
    def leave_the_editor(self) -> None:
        self.buffer = None

    @precondition(lambda self: self.buffer is not None)
    @rule(way=WAYS)
    def save_from_the_editor(self, way: str) -> None:
        """What was opened, however long ago, with a change of the editor's own record."""
        assert self.buffer is not None
        own = next(each for each in self.buffer if each.id == OWN)
        self.buffer = changed(self.buffer, own, token=self.token())
        self.save(self.buffer, way)

    # --- and the rest --------------------------------------------------------------------

    @precondition(lambda self: self.model.held and self.model.readable)
    @rule()
    def confirm(self) -> None:
        self.run(self.store.confirm())
        self.model.judge(confirmed=True)

    @precondition(lambda self: self.model.recent)
    @rule()
    def time_passes(self) -> None:
        self.now += timedelta(minutes=16)
        self.model.pass_time()

    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        if orderly:
            self.run(self.engine.aclose())
            self.run(self.history.aclose())
        self.open()
        self.model.held = self.model.held and self.model.readable  # nothing was read yet

    @invariant()
    def what_is_in_force_is_as_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        if self.model.readable:
            self.run(self.store.load())
        else:
            with pytest.raises(CatalogueUnreadable):
                self.run(self.store.load())
        assert self.store.snapshot is not None
        in_force = {e.environment_id: e.document[TOKEN] for e in self.store.snapshot.environments}
        assert in_force == self.model.force
        assert {key: e.document[TOKEN] for key, e in self.history.known.items()} == in_force
        assert (self.store.held is not None) == self.model.held
        if self.model.readable:
            self.check_file()

    def check_file(self) -> None:
        records = json.loads(self.folder.catalogue.read_text())["environments"]
        found = [
            Item(each["environment_id"], each[TOKEN], each["lifecycle"]["state"] == "asleep")
            for each in records
        ]
        assert found == self.model.file
        for item, stored in zip(found, records, strict=True):
            if not item.broken:
                self.texts[item] = stored


TestCatalogues = Catalogues.TestCase
TestCatalogues.pytestmark = [pytest.mark.timeout(amount(400, 3600))]
TestCatalogues.settings = settings(
    max_examples=amount(12, 600),
    stateful_step_count=30,
    derandomize=amount(1, 0) == 1,
    database=None,
    suppress_health_check=list(HealthCheck),
)

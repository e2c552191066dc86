"""What a write leads to is rendered while it is written, and nothing hangs on that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from provider import ahead, reconciler
from provider.current import Current
from provider.observe.certificates import CertificateFolder
from provider.reconciler import Reconciler
from provider.render.compile import Rules
from registry.engines.protocol import Loaded
from registry.errors import DiskFull
from tests.records import record, router
from tests.unit.fakes import WatchedEngine, held, store_over

MOVED = {"metadata": {"router": {"hostnames": ["moved.test"]}}}


class Stage:
    """A store, and the reconciler that is told of its writes; `rendered` are bodies gzipped."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = WatchedEngine(*(record(slug=slug, **router()) for slug in ("one", "two")))
        self.store = store_over(self.engine)
        self.current = Current(folder / "state" / "document.json.gz")
        certificates = CertificateFolder(folder, str(folder))
        self.reconciler = Reconciler(
            self.store, certificates, Rules(), self.current, default_certificate=False
        )
        self.store.foretell(self.reconciler.foresee)
        self.ahead = self._counted(ahead, monkeypatch)
        self.in_pass = self._counted(reconciler, monkeypatch)

    def _counted(self, module: object, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
        encode: Callable[..., object] = vars(module)["encode_publication"]
        bodies: list[bytes] = []

        def counted(pieces: Sequence[bytes], *more: object) -> object:
            bodies.append(b"".join(pieces))
            return encode(pieces, *more)

        monkeypatch.setattr(module, "encode_publication", counted)
        return bodies

    async def opened(self) -> Stage:
        """After its first pass, which has nothing to go by."""
        await self.reconciler.reconcile()
        self.in_pass.clear()
        return self

    @property
    def body(self) -> bytes:
        """What is shown."""
        assert self.current.publication is not None
        return self.current.publication.body


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Two environments with a route each."""
    return Stage(tmp_path, monkeypatch)


async def test_the_pass_after_a_write_shows_what_was_rendered_during_it(stage: Stage) -> None:
    await stage.opened()
    await stage.store.patch("one", MOVED)
    await stage.reconciler.reconcile()
    assert b"moved.test" in stage.body
    assert (stage.ahead, stage.in_pass) == ([stage.body], [])


async def test_what_is_rendered_ahead_is_shown_to_nobody_before_the_write_is_durable(
    stage: Stage,
) -> None:
    await stage.opened()
    begun, go = held(stage.engine)
    write = asyncio.create_task(stage.store.patch("one", MOVED))
    await begun.wait()
    assert b"moved.test" not in stage.body
    go.set()
    await write


async def test_after_a_write_that_the_disk_refused_all_is_as_it_was(stage: Stage) -> None:
    await stage.opened()
    shown = stage.current.publication
    stage.engine.failure = DiskFull("no room")
    with pytest.raises(DiskFull):
        await stage.store.patch("one", MOVED)
    await stage.reconciler.reconcile()
    assert stage.current.publication is shown
    assert stage.in_pass == []


async def test_an_edit_in_the_last_instant_is_in_the_document_beside_the_write(
    stage: Stage,
) -> None:
    await stage.opened()

    async def somebody_edits() -> None:
        await stage.engine.edit_one(1, record(slug="two", **router(hostnames=["edited.test"])))

    stage.engine.steps.append(somebody_edits)
    await stage.store.patch("one", MOVED)
    await stage.reconciler.reconcile()
    assert b"moved.test" in stage.body
    assert b"edited.test" in stage.body


async def test_while_a_pass_is_under_way_nothing_is_rendered_ahead(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.opened()
    reading, go, load = asyncio.Event(), asyncio.Event(), stage.engine.load

    async def slow() -> Loaded:
        reading.set()
        await go.wait()
        return await load()

    monkeypatch.setattr(stage.engine, "load", slow)
    passing = asyncio.create_task(stage.reconciler.try_reconcile())
    await reading.wait()
    assert stage.store.snapshot is not None
    stage.reconciler.foresee(stage.store.snapshot)
    go.set()
    await passing
    assert stage.ahead == []


async def test_a_bug_in_rendering_ahead_leaves_it_to_the_pass(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> object:
        raise ValueError("a bug")

    await stage.opened()
    monkeypatch.setattr(ahead, "assemble", broken)
    with capture_logs() as logs:
        await stage.store.patch("one", MOVED)
        await stage.reconciler.reconcile()
    assert b"moved.test" in stage.body
    assert logs[0]["event"] == "not_rendered_ahead"

"""One pass after the other: what is published, what stays, and what is said of problems."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from provider.current import Current
from provider.observe.certificates import CertificateFolder
from provider.publication import Publication
from provider.reconciler import Reconciler
from provider.render.compile import Rules
from registry.errors import RegistryError, StoreUnavailable
from tests.records import UPSTREAM, record, router
from tests.unit.fakes import AbsentEngine, WatchedEngine, store_over

Routed = dict[str, Any]


def routed(slug: str, **fields: Any) -> Routed:
    """A record with a router, named `<slug>.test`."""
    return record(slug=slug, **router(**fields))


class Stage:
    """A reconciler over an engine, and what it published."""

    def __init__(self, engine: Any, folder: Path) -> None:
        self.engine = engine
        self.store = store_over(engine)
        self.kept = folder / "state" / "document.json.gz"
        self.current = Current(self.kept)
        certificates = CertificateFolder(folder, str(folder))
        self.reconciler = Reconciler(
            self.store, certificates, Rules(), self.current, default_certificate=False
        )
        self.news: list[str] = []
        self.reconciler.tell = lambda news: self.news.append(news.kind)

    async def reconcile(self) -> list[tuple[str, str]]:
        """One pass: what is logged of it."""
        with capture_logs() as logs:
            await self.reconciler.reconcile()
        return [(line["event"], str(line.get("what", ""))) for line in logs]

    @property
    def body(self) -> bytes:
        """The document in force."""
        assert self.current.publication is not None
        return self.current.publication.body


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Stage]:
    """Makes a stage over records."""
    return lambda *records: Stage(WatchedEngine(*records), tmp_path)


async def test_the_first_pass_publishes_and_keeps_what_it_publishes(
    stage: Callable[..., Stage],
) -> None:
    made = stage(routed("one"))
    assert await made.reconcile() == [("published", "")]
    assert b'Host(\\"one.test\\")' in made.body
    assert gzip.decompress(made.kept.read_bytes()) == made.body


async def test_a_pass_without_a_visible_change_publishes_nothing(
    stage: Callable[..., Stage],
) -> None:
    made = stage(routed("one"))
    await made.reconcile()
    before = made.current.publication
    assert await made.reconcile() == []
    await made.engine.edit_one(0, routed("one") | {"health": {"status": "degraded"}})
    assert await made.reconcile() == []
    assert made.current.publication is before


async def test_a_bug_in_what_follows_keeps_no_document_from_being_shown(
    stage: Callable[..., Stage],
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    made = stage(routed("one"))
    made.reconciler.entered = broken
    await made.reconciler.try_reconcile()
    assert b"one.test" in made.body


async def test_where_nobody_listens_it_is_not_looked_for_what_a_document_changed(
    stage: Callable[..., Stage],
) -> None:
    made, heard = stage(routed("one")), stage(routed("one"))
    made.reconciler.is_heard = lambda: False
    assert await made.reconcile() == await heard.reconcile() == [("published", "")]
    assert (made.news, heard.news) == ([], ["published"])


async def test_a_change_is_published(stage: Callable[..., Stage]) -> None:
    made = stage(routed("one"))
    await made.reconcile()
    await made.engine.edit_one(0, routed("one", hostnames=["new.test"]))
    assert await made.reconcile() == [("published", "")]
    assert b"new.test" in made.body


async def test_each_pass_tells_what_is_new_and_a_pass_without_news_tells_nothing(
    stage: Callable[..., Stage],
) -> None:
    made = stage(routed("one"), record(slug="two", name=""))
    await made.reconcile()
    assert made.news == ["published", "quarantined"]
    await made.reconcile()
    await made.engine.edit_one(1, routed("two", hostnames=["one.test"]))
    await made.reconcile()
    assert made.news == ["published", "quarantined", "mended", "conflict"]
    await made.engine.edit_one(1, routed("two"))
    await made.reconcile()
    assert made.news[4:] == ["published", "conflict_resolved"]
    assert made.reconciler.publications == 2


async def test_a_store_that_fails_leaves_the_document_and_is_told_once(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stage(routed("one"))
    await made.reconcile()
    before = made.body

    async def fail() -> Any:
        raise StoreUnavailable("cannot read")

    with monkeypatch.context() as failing:
        failing.setattr(made.engine, "load", fail)
        assert await made.reconcile() == [("problem", "catalogue")]
        assert await made.reconcile() == []
    assert await made.reconcile() == [("mended", "catalogue")]
    assert made.body == before


async def test_where_there_never_was_a_catalogue_nothing_is_published(tmp_path: Path) -> None:
    made = Stage(AbsentEngine(), tmp_path)
    assert await made.reconcile() == [("problem", "catalogue")]
    assert made.current.publication is None
    await made.store.initialise()
    assert await made.reconcile() == [("published", ""), ("mended", "catalogue")]


async def test_each_problem_is_told_when_it_comes_and_when_it_goes(
    stage: Callable[..., Stage],
) -> None:
    made = stage(routed("one"), record(slug="two", name=""))
    assert await made.reconcile() == [("published", ""), ("problem", "env-two invalid_record")]
    assert await made.reconcile() == []
    await made.engine.edit_one(1, record(slug="two"))
    assert await made.reconcile() == [("mended", "env-two invalid_record")]


async def test_a_document_that_cannot_be_kept_is_served_all_the_same(
    stage: Callable[..., Stage], tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    made = stage(routed("one"))
    assert [event for event, _ in await made.reconcile()] == ["published", "document_not_kept"]
    assert b"one.test" in made.body


async def test_a_document_that_could_not_be_kept_is_kept_once_the_disk_takes_it(
    stage: Callable[..., Stage], tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the folder belongs")
    made = stage(routed("one"))
    await made.reconcile()
    assert await made.reconcile() == [("document_not_kept", "")]
    (tmp_path / "state").unlink()
    assert await made.reconcile() == []
    assert gzip.decompress(made.kept.read_bytes()) == made.body


async def test_a_stop_waits_until_nothing_more_is_written(stage: Callable[..., Stage]) -> None:
    """After it another daemon may have the folder."""
    made, writes, goes_on = stage(routed("one")), threading.Event(), threading.Event()
    write = made.current.write

    def slowly(publication: Publication) -> RegistryError | None:
        writes.set()
        assert goes_on.wait(10)
        return write(publication)

    made.current.write = slowly  # type: ignore[method-assign]
    running = asyncio.create_task(made.reconciler.reconcile())
    await asyncio.to_thread(writes.wait)
    running.cancel()
    await asyncio.wait([running], timeout=0.05)
    assert not running.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(made.kept.parent.iterdir())


@pytest.mark.parametrize(
    "changes",
    [
        router(service_url="http://a..b/"),
        {"created_at": "0001-01-01T00:00:00+01:00"},
        router(tls={"cert_file": "loop.crt", "key_file": "loop.crt"}),
    ],
)
async def test_nothing_in_one_record_touches_the_route_of_another(
    stage: Callable[..., Stage], tmp_path: Path, changes: dict[str, Any]
) -> None:
    (tmp_path / "loop.crt").symlink_to("loop.crt")
    made = stage(routed("one"), record(slug="two", **changes))
    await made.reconcile()
    assert b"one.test" in made.body
    assert UPSTREAM.encode() in made.body


async def test_half_a_surrogate_pair_in_one_record_touches_no_other(
    stage: Callable[..., Stage],
) -> None:
    made = stage(routed("one"), '{"project_id": "\\ud800", "slug": "two"}')
    await made.reconcile()
    assert b"one.test" in made.body


async def has_ended(waiting: asyncio.Task[None]) -> bool:
    """Whether it ends once everybody had their turns."""
    for _ in range(20):
        await asyncio.sleep(0)
    return waiting.done()


async def test_who_waits_is_told_after_a_pass_that_began_later_even_if_it_failed(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler = stage(routed("one")).reconciler
    waiting = asyncio.create_task(reconciler.caught_up())
    assert not await has_ended(waiting)
    assert reconciler.wake.is_set()

    async def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reconciler, "reconcile", fail)
    await reconciler.try_reconcile()
    assert await has_ended(waiting)


async def test_who_comes_during_a_pass_waits_for_the_next_one(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler, go = stage(routed("one")).reconciler, asyncio.Event()
    monkeypatch.setattr(reconciler, "reconcile", go.wait)
    passing = asyncio.create_task(reconciler.try_reconcile())
    await asyncio.sleep(0)
    waiting = asyncio.create_task(reconciler.caught_up())
    await asyncio.sleep(0)
    go.set()
    await passing
    assert not await has_ended(waiting)
    await reconciler.try_reconcile()
    assert await has_ended(waiting)


async def test_when_the_daemon_stops_nobody_waits_any_more(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler = stage(routed("one")).reconciler
    monkeypatch.setattr(reconciler, "reconcile", asyncio.Event().wait)
    running = asyncio.create_task(reconciler.run())
    in_the_pass = asyncio.create_task(reconciler.caught_up())
    assert not await has_ended(in_the_pass)
    before_the_next = asyncio.create_task(reconciler.caught_up())
    assert not await has_ended(before_the_next)
    running.cancel()
    assert await has_ended(in_the_pass)
    assert await has_ended(before_the_next)
    assert await has_ended(asyncio.create_task(reconciler.caught_up()))


async def test_a_document_enters_with_the_time_of_its_first_cause(
    stage: Callable[..., Stage],
) -> None:
    reconciler, entered = stage(routed("one")).reconciler, list[float]()
    reconciler.entered = lambda _document, at_s: entered.append(at_s)
    reconciler.wake.set()
    first_s = reconciler.wake.at_s
    reconciler.wake.set()
    await reconciler.reconcile()
    await reconciler.reconcile()
    assert entered == [first_s], "once, since nothing changed"

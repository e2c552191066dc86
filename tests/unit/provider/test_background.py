"""What goes on beside the serving: what wakes a pass, and what nobody keeps alive."""

from __future__ import annotations

import asyncio
import errno
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provider import background
from provider.background import start_reconciling, start_surveying
from registry.engines import watching
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import routed


class Health:
    """Probes nothing, and says when it was asked."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def survey(self, _environments: Sequence[Environment]) -> None:
        """Done at once."""
        self.asked.set()


class Surveyor:
    """Never done with its first survey."""

    def __init__(self) -> None:
        self.wake, self.surveyed = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        await asyncio.Event().wait()


async def test_between_two_rounds_of_probes_nobody_holds_what_was_probed() -> None:
    store = SimpleNamespace(snapshot=Snapshot((Entry(RawRecord("", ""), routed()),)))
    surface: Any = SimpleNamespace(store=store, health=Health(), surveyor=Surveyor())
    probed = weakref.ref(store.snapshot)
    async with AsyncExitStack() as stack:
        start_surveying(stack, surface, survey_s=86_400)
        await surface.health.asked.wait()
        await surface.surveyor.wake.wait()
        store.snapshot = None
        await asyncio.sleep(0)
        assert probed() is None


async def never(*_args: Any, **_options: Any) -> None:
    """Nothing comes, as from a kernel that tells nothing."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "file", ["certs/app.crt", "certs/team/app.crt", "certs/.own/app.crt", "projects/a/project.json"]
)
async def test_a_certificate_or_a_workspace_wakes_a_pass_also_where_the_kernel_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr(background, "watch_folder", never)
    monkeypatch.setattr(background, "_TOLD_S", 0.02)
    monkeypatch.setattr(watching, "SAFETY_POLL_S", 0.02)
    certs, projects, changed = tmp_path / "certs", tmp_path / "projects", tmp_path / file
    certs.mkdir()
    changed.parent.mkdir(parents=True, exist_ok=True)
    reconciler = SimpleNamespace(run=never, wake=asyncio.Event(), own_certificates={})
    surface: Any = SimpleNamespace(reconciler=reconciler, store=SimpleNamespace(ticks=no_ticks))
    certificates: Any = SimpleNamespace(sweep=lambda _used: None, is_unsettled=False)
    async with AsyncExitStack() as stack:
        start_reconciling(stack, surface, certificates, certs, projects)
        for content in ("made", "longer", "gone", "again"):  # the first ones are told by the start
            reconciler.wake.clear()
            changed.unlink() if content == "gone" else changed.write_text(content)
            async with asyncio.timeout(5):
                await reconciler.wake.wait()


class Unreadable:
    """An entry of a network file system that fails."""

    name, path = "stale", "/nowhere/stale"

    def __fspath__(self) -> str:
        return self.path

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        """Not to be told."""
        raise OSError(errno.ESTALE, "stale file handle")


async def test_one_entry_that_cannot_be_looked_at_hides_no_change_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = background._listed
    monkeypatch.setattr(background, "_listed", lambda folder: [Unreadable(), *listed(folder)])
    certificates: Any = SimpleNamespace(is_unsettled=False)
    before = background._certificate_signatures(certificates, tmp_path)
    (tmp_path / "app.crt").touch()
    assert background._certificate_signatures(certificates, tmp_path) != before


def test_while_a_copy_is_refused_each_look_is_another(tmp_path: Path) -> None:
    certificates: Any = SimpleNamespace(is_unsettled=True)
    looks = [background._certificate_signatures(certificates, tmp_path) for _ in range(2)]
    assert looks[0] != looks[1]


def test_what_is_ours_in_the_folder_is_not_looked_at(tmp_path: Path) -> None:
    certificates: Any = SimpleNamespace(is_unsettled=False)
    for folder in (".live", "team/.live"):
        (tmp_path / folder).mkdir(parents=True)
    before = background._certificate_signatures(certificates, tmp_path)
    (tmp_path / ".live" / "app.crt").touch()
    assert background._certificate_signatures(certificates, tmp_path) == before
    (tmp_path / "team" / ".live" / "app.crt").touch()
    assert background._certificate_signatures(certificates, tmp_path) != before


async def no_ticks() -> AsyncIterator[None]:
    """An engine that never says anything."""
    await never()
    yield

"""What goes on beside the serving: passes, looks at Traefiks, surveys. Each ends with the stack."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from operator import attrgetter
from pathlib import Path

import aiohttp
import structlog

from provider.api.surface import Surface
from provider.heap import give_back
from provider.observe.certificates import LIVE, CertificateFolder
from provider.observe.traefik_api import TraefikApi, without_user
from provider.observer import Observer
from registry.collector import set_aside
from registry.engines.watching import file_signature, poll_signature, stopped, watch_folder
from registry.store import utc_now

_SWEEP_S = 3600.0
_TOLD_S = 10.0
_UNREAD_S = 0.5

_log = structlog.get_logger()


def start_reconciling(
    stack: AsyncExitStack,
    surface: Surface,
    certificates: CertificateFolder,
    folder: Path,
    projects: Path,
) -> None:
    """Passes: after each tick of the engine, and each change of certificates and workspaces.

    `folder` is that of the certificates, `projects` that of the workspaces.
    """
    reconciler = surface.reconciler

    async def forward_ticks() -> None:
        """The engine says that the catalogue may have changed."""
        async for _ in surface.store.ticks():
            reconciler.wake.set()

    async def sweep() -> None:
        """Copies of certificates that nothing has used for long go."""
        while True:
            used = [own.pair for own in reconciler.own_certificates.values() if own.pair]
            await asyncio.to_thread(certificates.sweep, used)
            await asyncio.sleep(_SWEEP_S)

    work = (
        reconciler.run(),
        forward_ticks(),
        sweep(),
        watch_folder(folder, reconciler.wake.set, recursive=True),
        poll_signature(partial(_workspace_signatures, projects), reconciler.wake.set),
        # Of these the kernel tells, where it can.
        poll_signature(
            partial(_certificate_signatures, certificates, folder),
            reconciler.wake.set,
            every_s=_TOLD_S,
        ),
    )
    stack.push_async_callback(stopped, [asyncio.create_task(each) for each in work])
    reconciler.wake.set()


async def start_observing(stack: AsyncExitStack, urls: Iterable[str], surface: Surface) -> None:
    """One observer for each known Traefik, woken by publications and by who polls anew."""
    session = await stack.enter_async_context(
        aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
    )
    board = surface.routing
    each_once = {without_user(url): url for url in urls}
    observers = [
        Observer(TraefikApi(url, session, utc_now), surface.current, board.seen, board.prepare)
        for url in each_once.values()
    ]

    def wake() -> None:
        """There is something to see."""
        for observer in observers:
            observer.wake.set()

    surface.polls.met = surface.current.published = wake
    stack.push_async_callback(
        stopped, [asyncio.create_task(observer.run()) for observer in observers]
    )


def start_surveying(stack: AsyncExitStack, surface: Surface, survey_s: float) -> None:
    """Surveys of what is outside, and beside them those of health: a probe may hang."""

    async def probe_for_ever() -> None:
        """Between two surveys nothing holds what was probed: all of it may be replaced by then."""
        while True:
            has_read = await _probed(surface)
            await asyncio.sleep(survey_s if has_read else _UNREAD_S)

    async def give_back_once() -> None:
        """The first survey looks at everything, as the load before it did, and keeps some."""
        await surface.surveyor.surveyed.wait()
        await asyncio.to_thread(give_back)
        set_aside()

    work = surface.surveyor.run(), probe_for_ever(), give_back_once()
    stack.push_async_callback(stopped, [asyncio.create_task(each) for each in work])


async def _probed(surface: Surface) -> bool:
    """Whether there was a catalogue to probe. A bug ends one survey and no more."""
    snapshot = surface.store.snapshot
    try:
        if snapshot is not None:
            await surface.health.survey(snapshot.environments)
            surface.surveyor.wake.set()
    except Exception:
        _log.exception("probes_failed")
    return snapshot is not None


def _workspace_signatures(projects: Path) -> Hashable:
    """What changes with the file of each workspace."""
    files = [f"{each.path}/project.json" for each in _listed(projects)]
    return tuple((file, file_signature(file)) for file in files)


def _certificate_signatures(certificates: CertificateFolder, folder: Path) -> Hashable:
    """What changes with anything below that is not hidden, and not ours.

    While the disk refuses a copy it is another one each time, so that it is tried again.
    """
    again = object() if certificates.is_unsettled else None
    return again, *_found_below(str(folder), ours=str(folder / LIVE))


def _found_below(folder: str, ours: str) -> Iterator[tuple[str, Hashable]]:
    for each in _listed(folder):
        if not each.name.startswith("."):
            yield each.path, file_signature(each)
        if each.path != ours and _is_folder(each):
            yield from _found_below(each.path, ours)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:  # of a network file system; the other entries are looked at all the same
        return False


def _listed(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=attrgetter("name"))
    except OSError:
        return []

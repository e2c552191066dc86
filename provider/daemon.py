"""The daemon: everything is made and put together here, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web

from provider.admission import Admission
from provider.api.application import make_application
from provider.api.door import Door
from provider.api.surface import Surface
from provider.auth.book import AccountBook
from provider.auth.passwords import PasswordCheck
from provider.auth.throttle import LoginThrottle
from provider.current import Current
from provider.events import Events
from provider.health_keeper import HealthKeeper
from provider.listener import (
    SilentClients,
    accept,
    bound,
    raise_open_files,
    tls_context,
)
from provider.meters import Meters
from provider.news import news_of_revision
from provider.observe.certificates import CertificateFolder
from provider.observe.default_certificate import ensure_default_certificate
from provider.observe.health_probe import HealthProbe
from provider.observe.traefik_api import TraefikApi, without_user
from provider.observer import Observer
from provider.polls import Polls
from provider.previewer import Previewer
from provider.reconciler import Reconciler
from provider.render.compile import Rules
from provider.routing.announcer import Announcer
from provider.routing.board import RoutingBoard
from provider.settings import Settings, WrongSetting
from registry.engines.opening import open_engine
from registry.engines.watching import file_signature, poll_signature, stopped, watch_folder
from registry.errors import CatalogueUnreadable, RegistryError
from registry.history import History
from registry.revisions import Revision
from registry.store import EnvironmentStore, utc_now
from registry.workspaces import Workspaces

_SHUTDOWN_S = 0.5
_IDLE_S = 75.0
_SWEEP_S = 3600.0
_UNREAD_S = 0.5
_log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises StoreUnavailable when it cannot start."""
    stop = asyncio.Event()
    raise_open_files()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as port:
        _log.info("listening", host=settings.address[0], port=port, pid=os.getpid())
        await stop.wait()
    _log.info("stopped")


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[int]:
    """The daemon in this event loop; gives the port that it listens on."""
    async with AsyncExitStack() as stack:
        book = AccountBook(settings.data, utc_now, settings.token_files)
        door = _door(settings, book)
        listener = stack.enter_context(bound(*settings.address))
        port: int = listener.getsockname()[1]
        engine = await stack.enter_async_context(open_engine(settings.data))
        certificates = _certificates(settings)
        current = Current(settings.data / "state" / "document.json")
        restored = await asyncio.to_thread(current.restore)
        rules = settings.rules(port)
        workspaces = Workspaces(settings.projects)
        events, meters = Events(), Meters()
        history = History(settings.data / "state", bytes_max=settings.history_bytes_max)
        history.appended = _announcing(events, meters)
        await asyncio.to_thread(history.open, utc_now())
        stack.callback(history.close)
        admission = Admission(rules, certificates)
        store = EnvironmentStore(
            engine,
            workspaces,
            admission=admission,
            verify=admission.verify,
            history=history,
            founded=restored,
        )
        if settings.init:
            with contextlib.suppress(CatalogueUnreadable):  # the first pass says so
                await store.initialise()
        reconciler = Reconciler(
            store, certificates, rules, current, default_certificate=settings.default_certificate
        )
        store.changed = reconciler.wake.set
        polls = Polls(current, settings.hold_s)
        routing = RoutingBoard(
            map(without_user, settings.traefik_api),
            store,
            reconciler,
            polls,
            Announcer(events, meters),
            rules.tls_entrypoints,
            utc_now,
        )
        reconciler.entered, reconciler.ended = routing.entered, routing.rendered
        reconciler.tell = lambda news: events.publish(*news)
        if not restored:
            # A first poll that got 503 would send Traefik into a back-off.
            await reconciler.try_reconcile()
        surface = Surface(
            store=store,
            workspaces=workspaces,
            current=current,
            polls=polls,
            reconciler=reconciler,
            previewer=Previewer(
                rules,
                settings.certificates,
                settings.traefik_certificates,
                default_certificate=settings.default_certificate,
            ),
            door=door,
            throttle=LoginThrottle(time.monotonic),
            passwords=PasswordCheck(),
            silent_clients=SilentClients(),
            events=events,
            meters=meters,
            routing=routing,
            health=_health_keeper(settings, store, rules),
            stale_health_s=settings.stale_health_s,
            tls_entrypoints=rules.tls_entrypoints,
        )
        await _start_serving(stack, settings, surface, listener)
        await _start_observing(stack, settings, surface)
        _start_reconciling(stack, settings, surface, certificates)
        _start_probing(stack, settings, surface)
        yield port


def _health_keeper(settings: Settings, store: EnvironmentStore, rules: Rules) -> HealthKeeper:
    probe = HealthProbe(rules.forbidden_upstreams, utc_now, public_only=settings.probe_public_only)
    keeper = HealthKeeper(store, probe.look, settings.data / "state" / "health.json")
    keeper.restore()
    return keeper


def _announcing(events: Events, meters: Meters) -> Callable[[Sequence[Revision]], None]:
    def announce(revisions: Sequence[Revision]) -> None:
        for revision in revisions:
            if revision.author.source in ("api", "revert"):
                meters.writes.labels(action=revision.action).inc()
            if events.subscribers:  # what changed takes its time to find
                events.publish(*news_of_revision(revision))

    return announce


def _door(settings: Settings, book: AccountBook) -> Door:
    """Raises WrongSetting where strangers could reach us and nobody has to say who they are."""
    book.check()
    if book.is_unused():
        if not settings.is_loopback:
            folder = shlex.quote(str(settings.data))
            settings.data.mkdir(parents=True, exist_ok=True)  # where the two commands work
            raise WrongSetting(
                f"listen: others reach {settings.listen}, and there are no accounts; add one, and "
                "a token for Traefik:\n"
                f"  routebook accounts add EMAIL --role operator --data {folder}\n"
                f"  routebook tokens create --role traefik --data {folder}"
            )
        _log.warning("open_mode", note="no accounts: every local caller may read and write")
    hosts = frozenset(host.lower() for host in settings.allowed_hosts)
    return Door(book, hosts, settings.is_loopback)


def _certificates(settings: Settings) -> CertificateFolder:
    folder = settings.certificates
    folder.mkdir(parents=True, exist_ok=True)
    if settings.default_certificate:
        try:
            ensure_default_certificate(folder)
        except (RegistryError, OSError) as error:  # a full disk: Traefik then makes its own
            _log.error("no_default_certificate", reason=str(error))
    return CertificateFolder(folder, settings.traefik_certificates)


async def _start_serving(
    stack: AsyncExitStack, settings: Settings, surface: Surface, listener: socket.socket
) -> None:
    try:
        tls = tls_context(settings.tls_cert_file, settings.tls_key_file)
    except ValueError as error:
        raise WrongSetting(str(error)) from error
    # No access log: it costs a poll twice its time. A handler is never cancelled by a client
    # that goes away, since a write may be half done.
    runner = web.AppRunner(
        make_application(surface),
        access_log=None,
        handler_cancellation=False,
        shutdown_timeout=_SHUTDOWN_S,
        keepalive_timeout=_IDLE_S,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None
    server = await accept(surface.silent_clients.watched(runner.server), listener, tls)
    # Closed first: no connection comes while held polls get their last answer.
    stack.callback(server.close)


def _start_reconciling(
    stack: AsyncExitStack,
    settings: Settings,
    surface: Surface,
    certificates: CertificateFolder,
) -> None:
    reconciler = surface.reconciler

    async def forward_ticks() -> None:
        async for _ in surface.store.ticks():
            reconciler.wake.set()

    async def sweep() -> None:
        while True:
            used = [own.pair for own in reconciler.own_certificates.values() if own.pair]
            await asyncio.to_thread(certificates.sweep, used)
            await asyncio.sleep(_SWEEP_S)

    folder, projects = settings.certificates, settings.projects
    work = (
        reconciler.run(),
        forward_ticks(),
        sweep(),
        watch_folder(folder, reconciler.wake.set, recursive=True),
        poll_signature(partial(_signatures, folder, "**/[!.]*"), reconciler.wake.set),
        poll_signature(partial(_signatures, projects, "*/project.json"), reconciler.wake.set),
    )
    stack.push_async_callback(stopped, [asyncio.create_task(each) for each in work])
    reconciler.wake.set()


async def _start_observing(stack: AsyncExitStack, settings: Settings, surface: Surface) -> None:
    """One observer for each known Traefik, woken by publications and by who polls anew."""
    session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
    observers = [
        Observer(TraefikApi(url, session, utc_now), surface.current, surface.routing.seen)
        for url in settings.traefik_api
    ]

    def wake() -> None:
        """There is something to see."""
        for observer in observers:
            observer.wake.set()

    surface.polls.met = surface.current.published = wake
    stack.push_async_callback(
        stopped, [asyncio.create_task(observer.run()) for observer in observers]
    )


def _start_probing(stack: AsyncExitStack, settings: Settings, surface: Surface) -> None:
    """A survey of health every so often; a bug ends one and no more."""

    async def survey_for_ever() -> None:
        while True:
            snapshot = surface.store.snapshot
            try:
                if snapshot is not None:
                    await surface.health.survey(snapshot.environments)
            except Exception:
                _log.exception("survey_failed")
            await asyncio.sleep(settings.survey_s if snapshot is not None else _UNREAD_S)

    stack.push_async_callback(stopped, [asyncio.create_task(survey_for_ever())])


def _signatures(folder: Path, pattern: str) -> Hashable:
    return tuple((str(path), file_signature(path)) for path in sorted(folder.glob(pattern)))

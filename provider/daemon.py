"""The daemon: everything is made and put together here, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from provider.admission import Admission
from provider.api.application import make_application
from provider.api.door import Door
from provider.api.repeats import repeating
from provider.api.surface import Surface
from provider.auth.book import AccountBook
from provider.auth.passwords import PasswordCheck
from provider.auth.throttle import LoginThrottle
from provider.background import start_observing, start_reconciling, start_surveying
from provider.current import Current
from provider.events import Events
from provider.health_keeper import HealthKeeper
from provider.heap import bound_heap, give_back
from provider.issuing.dev_ca import DevCa
from provider.issuing.issued import IssuedPairs
from provider.issuing.issuer import Issuer
from provider.ledger import Ledger
from provider.listener import SilentClients, accept, bound, raise_open_files, tls_context
from provider.meters import Meters
from provider.news import news_of_revision
from provider.observe.certificate_files import CertificateInventory
from provider.observe.certificates import CertificateFolder
from provider.observe.default_certificate import ensure_default_certificate
from provider.observe.dns import DnsObserver
from provider.observe.health_probe import HealthProbe
from provider.observe.traefik_api import without_user
from provider.opening import Opening, opened_by
from provider.polls import Polls
from provider.previewer import Previewer
from provider.reconciler import Reconciler, Rendered
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.routing.announcer import Announcer
from provider.routing.board import RoutingBoard
from provider.settings import Settings, WrongSetting
from provider.surveyor import Expectations, Surveyor
from registry.collector import spare_the_old
from registry.engines.opening import open_engine
from registry.engines.watching import stopped
from registry.errors import CatalogueUnreadable, RegistryError
from registry.history import History
from registry.revisions import Revision
from registry.store import EnvironmentStore, utc_now
from registry.workspaces import Workspaces

_SHUTDOWN_S = 0.5
_TURN_S = 0.0005
_IDLE_S = 75.0
_log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises StoreUnavailable when it cannot start."""
    stop = asyncio.Event()
    prepare_process()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as port:
        _log.info("listening", host=settings.address[0], port=port, pid=os.getpid())
        _log.info("folders", **settings.folders)
        await stop.wait()
    _log.info("stopped")


def prepare_process() -> None:
    """What concerns the whole process: files, heap, garbage, and how long a thread keeps its turn.

    A poll waits behind each thread that is at work, 5 ms if Python has its way.
    """
    raise_open_files()
    bound_heap()
    spare_the_old()
    sys.setswitchinterval(_TURN_S)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[int]:
    """The daemon in this event loop; gives the port that it listens on."""
    async with AsyncExitStack() as stack:
        door = _door(settings, AccountBook(settings.data, utc_now, settings.token_files))
        listener = stack.enter_context(bound(*settings.address))
        port: int = listener.getsockname()[1]
        rules, certificates = settings.rules(port), _certificates(settings)
        current = Current(settings.data / "state" / "document.json.gz")
        restored = current.restore()
        events, meters = Events(), Meters()
        workspaces = Workspaces(settings.projects)
        engine = await stack.enter_async_context(open_engine(settings.data))
        compiler, opening = Compiler(rules), Opening()
        history = _history(stack, settings, _announcing(events, meters))
        if not restored:
            await asyncio.to_thread(_open_state, settings, history)
        store = EnvironmentStore(
            engine,
            workspaces,
            admission=(admission := Admission(rules, certificates, compiler)),
            verify=admission.verify,
            history=history,
            founded=restored,
        )
        reconciler = Reconciler(
            store,
            certificates,
            rules,
            current,
            default_certificate=settings.default_certificate,
            compiler=compiler,
        )
        store.changed = reconciler.wake.set
        store.foretell(reconciler.foresee)
        reconciler.tell = lambda news: events.publish(*news)
        reconciler.is_heard = lambda: events.subscribers > 0
        polls = Polls(current, settings.hold_s)
        urls = [without_user(url) for url in settings.traefik_api]
        announcer = Announcer(events, meters)
        routing = RoutingBoard(
            urls, store, reconciler, polls, announcer, rules.tls_entrypoints, utc_now
        )
        ledger = Ledger(settings.data / "state" / "human_tasks.json", events, utc_now)
        health = _health_keeper(settings, store, rules)
        surveyor = _surveyor(
            settings, rules, store, workspaces, reconciler, routing, ledger, health
        )
        _connect(reconciler, routing, surveyor)
        surface = Surface(
            store=store,
            workspaces=workspaces,
            current=current,
            polls=polls,
            reconciler=reconciler,
            previewer=_previewer(settings, rules),
            door=door,
            throttle=LoginThrottle(time.monotonic),
            passwords=PasswordCheck(),
            silent_clients=SilentClients(),
            events=events,
            meters=meters,
            routing=routing,
            ledger=ledger,
            surveyor=surveyor,
            health=health,
            stale_health_s=settings.stale_health_s,
            tls_entrypoints=rules.tls_entrypoints,
            inventory=CertificateInventory(settings.certificates),
            issuer=_issuer(settings),
            opening=opening,
        )
        if not restored:
            await _first_document(settings, store, reconciler)
        await _start_serving(stack, settings, surface, listener)
        rest = _open_the_rest(stack, settings, surface, certificates, restored=restored)
        stack.push_async_callback(stopped, [opened_by(opening, rest)])
        yield port


async def _open_the_rest(
    stack: AsyncExitStack,
    settings: Settings,
    surface: Surface,
    certificates: CertificateFolder,
    *,
    restored: bool,
) -> None:
    """What the kept document does not need; then what goes on beside the serving."""
    if restored:
        await asyncio.to_thread(surface.current.settle)
        await asyncio.to_thread(_open_state, settings, surface.store.history)
        await surface.reconciler.first_pass()
    await asyncio.to_thread(surface.ledger.open)
    await asyncio.to_thread(surface.health.restore)
    surface.opening.over()
    await start_observing(stack, settings.traefik_api, surface)
    start_reconciling(stack, surface, certificates, settings.certificates, settings.projects)
    start_surveying(stack, surface, settings.survey_s)
    await asyncio.to_thread(give_back)


def _open_state(settings: Settings, history: History) -> None:
    """What a first pass needs beside the catalogue."""
    history.open(utc_now())
    if settings.default_certificate:
        try:
            ensure_default_certificate(settings.certificates)
        except (RegistryError, OSError) as error:  # a full disk: Traefik then makes its own
            _log.error("no_default_certificate", reason=str(error))


async def _first_document(
    settings: Settings, store: EnvironmentStore, reconciler: Reconciler
) -> None:
    """A first poll that got 503 would send Traefik into a back-off.

    Raises DiskFull and StoreUnavailable when the first catalogue cannot be made.
    """
    if settings.init:
        with contextlib.suppress(CatalogueUnreadable):  # the first pass says so
            await store.initialise()
    await reconciler.first_pass()


def _history(
    stack: AsyncExitStack, settings: Settings, appended: Callable[[Sequence[Revision]], None]
) -> History:
    history = History(settings.data / "state", bytes_max=settings.history_bytes_max)
    history.appended = appended
    stack.push_async_callback(history.aclose)
    return history


def _previewer(settings: Settings, rules: Rules) -> Previewer:
    return Previewer(
        rules,
        settings.certificates,
        settings.traefik_certificates,
        default_certificate=settings.default_certificate,
    )


def _surveyor(
    settings: Settings,
    rules: Rules,
    store: EnvironmentStore,
    workspaces: Workspaces,
    reconciler: Reconciler,
    routing: RoutingBoard,
    ledger: Ledger,
    health: HealthKeeper,
) -> Surveyor:
    return Surveyor(
        store=store,
        reconciler=reconciler,
        projects=workspaces,
        lookup=DnsObserver(settings.dns_server),
        ledger=ledger,
        expectations=Expectations(
            traefik_addresses=tuple(sorted(settings.points_of_entry)),
            tls_entrypoints=rules.tls_entrypoints,
            has_resolver=rules.cert_resolver is not None,
            stale_health_s=settings.stale_health_s,
        ),
        facts=lambda: routing.facts,
        checked_at=health.checked_at,
        checks=lambda: health.made_of,
        clock=utc_now,
        survey_s=settings.survey_s,
        plan=settings.upgrade_plan_file,
    )


def _connect(reconciler: Reconciler, routing: RoutingBoard, surveyor: Surveyor) -> None:
    """After a pass, and when a Traefik says anything else, conditions and tasks may be others."""

    def ended(rendered: Rendered) -> None:
        """A pass is over."""
        routing.rendered(rendered)
        surveyor.wake.set()

    reconciler.entered, reconciler.ended = routing.entered, ended
    routing.changed = surveyor.wake.set


def _health_keeper(settings: Settings, store: EnvironmentStore, rules: Rules) -> HealthKeeper:
    probe = HealthProbe(rules.forbidden_upstreams, utc_now, public_only=settings.probe_public_only)
    return HealthKeeper(store, probe.look, settings.data / "state" / "health.json")


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
    return CertificateFolder(folder, settings.traefik_certificates)


def _issuer(settings: Settings) -> Issuer:
    """The development CA beside the certificates that it signs; nothing is made yet."""
    ca = DevCa(settings.data / "dev_ca", settings.dev_ca_domains, utc_now)
    return Issuer(ca, IssuedPairs(settings.certificates, settings.data / "state" / "issued.json"))


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
    factory = repeating(surface, runner.server)
    server = await accept(surface.silent_clients.watched(factory), listener, tls)
    # Closed first: no connection comes while held polls get their last answer.
    stack.callback(server.close)

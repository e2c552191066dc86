"""Change → load → render → publish; keeps the last good whenever a step fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

import structlog

from provider.ahead import Ahead, Foreseen
from provider.current import Current
from provider.news import News, news_of_conflicts, news_of_document, news_of_faults
from provider.observe.certificates import CertificateFolder
from provider.observe.default_certificate import CERT_FILE, KEY_FILE
from provider.publication import Publication, encode_publication
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import Document, assemble
from provider.render.fragment import Claim, OwnCertificate
from registry.collector import collector_resting
from registry.entries import Fault
from registry.errors import RegistryError
from registry.schema import Environment
from registry.snapshot import Snapshot
from registry.store import EnvironmentStore, utc_now

_log = structlog.get_logger()
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Rendered:
    """A document, and the catalogue that it was made of."""

    document: Document
    snapshot: Snapshot


class Wake(asyncio.Event):
    """Asks for a pass; `at_s` is the monotonic time of the first asking that it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = time.monotonic()

    def set(self) -> None:
        """Ask for a pass."""
        if not self.is_set():
            self.at_s = time.monotonic()
        super().set()


class Reconciler:
    """Level-triggered: a wake-up carries no data, a pass looks at everything anew.

    `tell` gets what is new after a pass; what a document changed is looked for only where that
    `is_heard` by anybody. `entered` gets each document that comes into force and the monotonic time
    of its cause, `ended` what a pass rendered. None of them may raise.
    """

    def __init__(
        self,
        store: EnvironmentStore,
        certificates: CertificateFolder,
        rules: Rules,
        current: Current,
        *,
        default_certificate: bool,
        compiler: Compiler | None = None,
    ) -> None:
        self._store, self._certificates, self._current = store, certificates, current
        self._compiler = compiler or Compiler(rules)
        self._ahead = Ahead(self._compiler, current)
        self._default_certificate = default_certificate
        self._said: dict[str, str] = {}
        self._faults: tuple[Fault, ...] = ()
        self.tell: Callable[[News], None] = lambda _news: None
        self.is_heard: Callable[[], bool] = lambda: True
        self.rendered: Rendered | None = None
        self.entered: Callable[[Document, float], None] = lambda _document, _changed_at_s: None
        self.ended: Callable[[Rendered], None] = lambda _rendered: None
        self._waiting: list[asyncio.Future[None]] = []
        self._has_stopped = self._is_unkept = self._is_passing = False
        self.publications = 0
        self.own_certificates: dict[str, OwnCertificate] = {}
        self.published_at: datetime | None = None
        self.wake = Wake()

    @property
    def document(self) -> Document | None:
        """The last document that was rendered and is in force; None before the first."""
        return self.rendered.document if self.rendered else None

    async def caught_up(self) -> None:
        """Returns when a pass that began after this call has ended, well or not.

        At once where there will be none, since the daemon stops.
        """
        if self._has_stopped:
            return
        ended = asyncio.get_running_loop().create_future()
        self._waiting.append(ended)
        self.wake.set()
        await ended

    async def run(self) -> None:
        """A pass after each wake-up, for ever; a bug in one pass is logged and ends only it."""
        try:
            while True:
                await self.wake.wait()
                self.wake.clear()
                await self.try_reconcile()
        finally:
            self._has_stopped = True
            _release(self._waiting)

    async def first_pass(self) -> None:
        """A pass that makes every record, in which no collection looks through them."""
        with collector_resting():
            await self.try_reconcile()

    async def try_reconcile(self) -> None:
        """A pass that never raises: a bug is logged, and the last good document stays."""
        waiting, self._waiting = self._waiting, []
        self._is_passing = True
        try:
            await self.reconcile()
        except Exception:
            _log.exception("reconcile_failed", note="the last good document stays")
        finally:
            self._is_passing = False
            _release(waiting)

    def foresee(self, after: Snapshot) -> None:
        """This will be in force when it is written: rendered meanwhile, where nothing else is."""
        if self.document is not None and not self._is_passing:
            self._ahead.begin(after, self.document, self.own_certificates)

    async def reconcile(self) -> None:
        """One pass: publishes when the document changed, says what changed in its problems."""
        changed_at_s = self.wake.at_s  # a change during the pass has its own
        try:
            snapshot = await self._store.load()
        except RegistryError as error:
            self._say({**self._said, "catalogue": f"{error.code}: {error.detail}"})
            return
        if snapshot.absent:
            self._say({"catalogue": "there is none yet: POST an environment, or `serve --init`"})
            return
        before, ahead = self.document, await self._ahead.taken()
        document, publication, failed = await _to_its_end(self._made, snapshot, ahead)
        self.rendered = Rendered(document, snapshot)
        if publication is not None:
            self._publish(publication)
        if before is None or before.digest != document.digest:
            self.entered(document, changed_at_s)
        if publication is not None:
            await asyncio.sleep(0)  # whoever is held has it before we do anything else
            _log_published(document, snapshot)
        self.ended(self.rendered)
        if publication is not None and self.is_heard():  # after the revisions that led to it
            news = await asyncio.to_thread(news_of_document, before, document)
            await self._store.history.at_rest()
            self.tell(news)
        self._tell_more(before, document, snapshot)
        self._say({**self._edits(), **dict(problems(snapshot, document))})
        if publication is not None or self._is_unkept:  # nobody who polls waits for the disk
            await self._sync(failed)

    def _made(
        self, snapshot: Snapshot, ahead: Foreseen | None
    ) -> tuple[Document, Publication | None, RegistryError | None]:
        """The document; what is to be published, if it is new; the error, if the disk refuses it.

        Whatever is shown after this has been written to disk.
        """
        document = self._render(snapshot, ahead.document if ahead else self.document)
        shown = self._current.publication
        if shown is not None and shown.digest == document.digest:
            return document, None, self._current.write(shown) if self._is_unkept else None
        if ahead is not None and ahead.document is document:
            new = ahead.publication
        else:
            new = encode_publication(document.pieces, document.digest, shown)
        return document, new, self._current.write(new)

    async def _sync(self, failed: RegistryError | None) -> None:
        failed = failed or await _to_its_end(self._current.sync)
        self._is_unkept = failed is not None
        if failed:
            _log.error("document_not_kept", reason=str(failed), risk="lost at a restart")

    def _render(self, snapshot: Snapshot, before: Document | None) -> Document:
        document, self.own_certificates = render(
            snapshot.environments,
            self._compiler,
            self._certificates,
            default_certificate=self._default_certificate,
            before=before,
        )
        return document

    def _publish(self, publication: Publication) -> None:
        self._current.publish(publication)
        self.published_at = utc_now()
        self.publications += 1

    def _tell_more(self, before: Document | None, after: Document, snapshot: Snapshot) -> None:
        faults, self._faults = self._faults, snapshot.faults
        for news in news_of_faults(faults, snapshot.faults):
            self.tell(news)
        for news in news_of_conflicts(before.conflicts if before else (), after.conflicts):
            self.tell(news)

    def _edits(self) -> dict[str, str]:
        """What of a hand edit waits for a person."""
        held = self._store.held
        waiting = {f"{item.environment_id} stale_edit": str(item) for item in self._store.stale}
        return {**waiting, **({"catalogue edit_held": str(held)} if held else {})}

    def _say(self, problems: dict[str, str]) -> None:
        for what, reason in problems.items():
            if self._said.get(what) != reason:
                _log.warning("problem", what=what, reason=reason)
        for what in self._said.keys() - problems.keys():
            _log.info("mended", what=what)
        self._said = problems


async def _to_its_end(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """In a thread, which a stop waits for: after it another daemon may have the folder."""
    thread = asyncio.create_task(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


def _log_published(document: Document, snapshot: Snapshot) -> None:
    left_out = sum(1 for _ in problems(snapshot, document))
    _log.info("published", digest=document.digest, routes=document.routers, left_out=left_out)


def _release(waiting: Iterable[asyncio.Future[None]]) -> None:
    for ended in waiting:
        if not ended.done():
            ended.set_result(None)


def render(
    environments: Sequence[Environment],
    compiler: Compiler,
    certificates: CertificateFolder,
    *,
    default_certificate: bool,
    incumbents: Mapping[Claim, str] | None = None,
    before: Document | None = None,
) -> tuple[Document, dict[str, OwnCertificate]]:
    """The document, and what became of the pair that each record names, by `environment_id`.

    `before` as for `assemble`.
    """
    own = certificates.own_certificates(environments)
    default = certificates.look(CERT_FILE, KEY_FILE).pair if default_certificate else None
    return assemble(compiler.compile_all(environments, own), default, incumbents, before), own


def problems(snapshot: Snapshot, document: Document) -> Iterable[tuple[str, str]]:
    """Everything of the catalogue that is not served as written: what, and why."""
    for index, fault in enumerate(snapshot.faults):
        name = fault.environment_id or fault.slug or f"record {index + 1} of the broken ones"
        yield f"{name} {fault.code}", "; ".join(str(error) for error in fault.errors)
    for rejection in document.rejections:
        yield f"{rejection.environment_id} {rejection.code}", rejection.message
    for conflict in document.conflicts:
        yield f"{conflict.loser} {conflict.claim}", conflict.message
    for environment_id, notes in document.notes.items():
        for note in notes:
            yield f"{environment_id} {note.code}", note.message

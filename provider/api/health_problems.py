"""Everything that is wrong, as `/api/health` shows it: a code, the environment, the words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provider.api.surface import Surface
from provider.api.views import fault_view
from provider.render.document import Document
from registry.entries import Fault
from registry.errors import StoreUnavailable

Problem = dict[str, Any]


def problems_of(surface: Surface) -> Iterator[Problem]:
    """What waits or fails, then records, then what Traefiks say, then routes."""
    yield from _of_files(surface)
    yield from _of_callers(surface)
    snapshot, document = surface.store.snapshot, surface.reconciler.document
    for fault in snapshot.faults if snapshot else ():
        yield _of_fault(fault)
    yield from surface.routing.problems()
    if document is not None:
        yield from _of_document(document)


def _of_files(surface: Surface) -> Iterator[Problem]:
    store = surface.store
    if store.trouble is not None:
        yield _problem(store.trouble.code, None, store.trouble.detail)
    if store.held is not None:
        yield _problem("edit_held", None, str(store.held))
    for item in store.stale:
        yield _problem("stale_edit", item.environment_id, str(item))
    if store.history.trouble is not None:
        detail = f"history waits to be written: {store.history.trouble.detail}"
        yield _problem("history_not_written", None, detail)
    if surface.ledger.trouble is not None:
        detail = f"tasks wait to be written: {surface.ledger.trouble.detail}"
        yield _problem("tasks_not_written", None, detail)


def _of_callers(surface: Surface) -> Iterator[Problem]:
    try:
        surface.door.book.check()
    except StoreUnavailable as error:
        yield _problem("accounts_unreadable", None, error.detail)
    for remote, reason in surface.polls.turned_away.listed().items():
        detail = (
            f"{remote} polls and is refused: {reason}; a Traefik there keeps what it has until its "
            "static configuration is right, and it is started anew"
        )
        yield _problem("poller_refused", None, detail)


def _of_fault(fault: Fault) -> Problem:
    detail = "; ".join(str(error) for error in fault.errors)
    return {**fault_view(fault), **_problem(fault.code, fault.environment_id or fault.slug, detail)}


def _of_document(document: Document) -> Iterator[Problem]:
    for rejection in document.rejections:
        yield _problem(rejection.code, rejection.environment_id, rejection.message)
    for conflict in document.conflicts:
        yield _problem("route_conflict", conflict.loser, conflict.message)
    for environment_id, notes in document.notes.items():
        for note in notes:
            yield _problem(note.code, environment_id, note.message)


def _problem(code: str, environment_id: str | None, detail: str) -> Problem:
    return {"code": code, "environment": environment_id, "detail": detail}

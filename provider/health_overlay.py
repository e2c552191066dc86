"""The time of a check that is newer than the stored one: shown when read, never written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from registry.fields import instant_text, parse_instant
from registry.schema import Environment

CheckedAt = Callable[[Environment], datetime | None]
"""When an environment was checked last, by a probe or as it is stored."""


def stored_check(environment: Environment) -> datetime | None:
    """The time of the last check that is stored."""
    return environment.health.checked_at


def shown_document(environment: Environment, checked_at: datetime | None) -> dict[str, Any]:
    """The record as JSON values, with this time of its last check. The record stays as it is."""
    document = dict(environment.document)
    if checked_at != environment.health.checked_at:
        text = instant_text(checked_at) if checked_at else None
        document["health"] = {**document["health"], "checked_at": text}
    return document


def as_stored(body: Any, environment: Environment, checked_at: datetime | None) -> Any:
    """A body to write, without a time of a check that the caller was shown and sends back.

    That is one after the stored time and not after `checked_at`, which is shown now: to store it
    would change nothing that anybody sees. Anything else is left as it is, wrong bodies too.
    """
    health = body.get("health") if isinstance(body, Mapping) else None
    given = _instant(health.get("checked_at")) if isinstance(health, Mapping) else None
    stored = environment.health.checked_at
    if given is None or checked_at is None or given > checked_at:
        return body
    if health is None or (stored is not None and given <= stored):
        return body
    known = environment.document["health"]["checked_at"]
    return {**body, "health": {**health, "checked_at": known}}


def _instant(value: object) -> datetime | None:
    try:
        return parse_instant(value)
    except ValueError:
        return None

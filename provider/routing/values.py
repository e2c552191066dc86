"""Conditions as values, and how the API shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from registry.fields import instant_text

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether something is so, why, and since when.

    `reason` is one word for programs. `digest` is that of the document that was looked at.
    """

    status: Status
    reason: str
    message: str
    since: datetime | None = None
    digest: str | None = None

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "since": instant_text(self.since) if self.since else None,
            "digest": self.digest,
        }


NO_TRAEFIK = Condition(
    "Unknown", "no_traefik_known", "ROUTEBOOK_TRAEFIK_API names none, so nobody looks"
)


@dataclass(frozen=True, slots=True)
class LiveOn:
    """Whether one Traefik serves an environment. `url` is that of its API.

    `settled` says that waiting will not change it by itself.
    """

    url: str
    condition: Condition
    settled: bool

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {"traefik": self.url, **self.condition.view()}


@dataclass(frozen=True, slots=True)
class Routing:
    """The four conditions of an environment; `Live` is over all known Traefiks."""

    valid: Condition
    accepted: Condition
    published: Condition
    live: Condition
    traefiks: Sequence[LiveOn]

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """By the names that the API gives them."""
        return {
            "Valid": self.valid,
            "Accepted": self.accepted,
            "Published": self.published,
            "Live": self.live,
        }

    @property
    def claims_nothing(self) -> bool:
        """Whether no Traefik is to serve it, and it is known that none does."""
        absent = self.published.reason in _NOTHING and self.live.status == "False"
        return absent and self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return all(each.settled for each in self.traefiks)

    def in_short(self) -> dict[str, Any]:
        """The least of it: null is not known. `reason` is why it is live, or why not."""
        decisive = self.published if self.published.status == "False" else self.live
        flags = {name.lower(): _FLAG[each.status] for name, each in self.conditions.items()}
        return {**flags, "reason": decisive.reason, "message": decisive.message}

    def outcome(self) -> dict[str, Any]:
        """What a write that waited says: what is not known to be live is not."""
        traefiks = [each.view() for each in self.traefiks]
        return {**self.in_short(), "live": self.live.status == "True", "traefiks": traefiks}


# On purpose; a claim that was lost or refused is another matter.
_NOTHING = ("lifecycle_state", "not_routed", "deleted")
_FLAG: dict[Status, bool | None] = {"True": True, "False": False, "Unknown": None}

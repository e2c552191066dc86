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
    def is_settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return all(each.settled for each in self.traefiks)

    def in_short(self) -> dict[str, Any]:
        """One line of it: null is not known. `reason` is that of the first that is not so."""
        wrong = (each for each in self.conditions.values() if each.status != "True")
        first = next(wrong, self.live)
        flags = {name.lower(): _FLAG[each.status] for name, each in self.conditions.items()}
        return {**flags, "reason": first.reason}

    def outcome(self) -> dict[str, Any]:
        """What a write that waited says."""
        first = next((c for c in self.conditions.values() if c.status != "True"), self.live)
        return {
            "live": self.live.status == "True",
            "reason": first.reason,
            "message": first.message,
            "traefiks": [each.view() for each in self.traefiks],
        }


_FLAG: dict[Status, bool | None] = {"True": True, "False": False, "Unknown": None}

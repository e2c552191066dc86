"""A follow-up as a value: what is to be done, for which environment, on what evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from registry.values import value

Severity = Literal["high", "medium", "low"]
Kind = Literal[
    "dns_missing",
    "dns_elsewhere",
    "certificate_missing",
    "certificate_expiring",
    "certificate_not_covering",
    "key_mismatch",
    "credential_missing",
    "health_stale",
    "owner_unknown",
    "claim_lost",
    "record_quarantined",
    "router_refused",
    "middleware_missing",
]


@value()
class Subject:
    """What a follow-up is about; the same subject is the same task, whatever is seen of it.

    `environment` is an id, or of a broken record the name that it claims. `about` tells several of
    one kind in one environment apart: a host name, a file, a credential.
    """

    kind: Kind
    environment: str
    about: str = ""

    @property
    def task_id(self) -> str:
        """A stable id."""
        text = "\0".join((self.kind, self.environment, self.about))
        return f"task-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@value()
class FollowUp:
    """Manual work. `action` is one sentence; `evidence` is what was seen, without a time in it:
    it changes only when something else is seen. `owner` is whom to ask."""

    subject: Subject
    severity: Severity
    action: str
    evidence: Mapping[str, Any]
    slug: str | None = None
    owner: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody could look: what is known of these subjects stays as it is. None stands for any."""

    kind: Kind
    environment: str | None = None
    about: str | None = None

    def includes(self, subject: Subject) -> bool:
        """Whether it speaks of this subject."""
        return (
            self.kind == subject.kind
            and self.environment in (None, subject.environment)
            and self.about in (None, subject.about)
        )


Finding = FollowUp | Undecided

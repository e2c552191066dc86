"""What an explanation is made from, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from provider.neighbours.conditions import Catch
from provider.observe.facts import RouterFact, TraefikFacts
from provider.render.document import Document
from provider.render.fragment import Claim, Fragment
from registry.snapshot import Snapshot

Reason = Literal[
    "answers",
    "neighbour",
    "host_kind",
    "path_length",
    "conflict",
    "entrypoint",
    "path",
    "state",
    "rejected",
    "quarantined",
    "no_router",
]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The document in force, the catalogue, and what the Traefiks showed at the last look."""

    document: Document
    snapshot: Snapshot
    tls_entrypoints: frozenset[str]
    traefiks: tuple[TraefikFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class Contender:
    """A router of ours that matches the request."""

    fragment: Fragment
    claim: Claim
    priority: int


@dataclass(frozen=True, slots=True)
class Other:
    """A router of another provider that matches, or may. `everywhere`: on each known Traefik."""

    router: RouterFact
    caught: Catch
    traefiks: tuple[str, ...]
    everywhere: bool
    redirect: bool

    @property
    def sure(self) -> bool:
        """Whether it takes the request wherever it is asked, unless another goes before it."""
        return self.caught is Catch.YES and self.everywhere

    @property
    def priority(self) -> int:
        """Traefik's."""
        return self.router.priority


@dataclass(frozen=True, slots=True)
class Candidate:
    """One that could answer, and why it does or does not.

    `claim` is ours, `other` a neighbour's; both None for a record that claims nothing.
    `quarantined` says that the stored record is broken, and this is its last good version.
    """

    reason: Reason
    message: str
    entrypoint: str | None = None
    environment_id: str | None = None
    slug: str | None = None
    claim: Claim | None = None
    priority: int | None = None
    holder: str | None = None
    quarantined: bool = False
    other: Other | None = None
    goes_first: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers on one entrypoint: ours, or a neighbour, or nobody.

    `unless` are the neighbours that may go first, where only a look could tell.
    """

    entrypoint: str
    winner: Contender | Other | None
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one URL; the answers in the order of the entrypoints' names."""

    answers: tuple[Answer, ...]
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def answer(self) -> Answer | None:
        """The first that has one."""
        return next((each for each in self.answers if each.winner is not None), None)

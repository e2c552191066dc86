"""A URL, and what is known, to the explanation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provider.explain.others import Others
from provider.explain.ranking import Outcome, answer_on
from provider.explain.records import Fitting, claiming_nothing, routed_fitting, serving
from provider.explain.target import Target
from provider.explain.values import (
    Answer,
    Candidate,
    Contender,
    Explanation,
    Knowledge,
    Reason,
)
from provider.observe.facts import OUR_PROVIDER, TraefikFacts

_SILENT: tuple[Reason, ...] = (
    "conflict",
    "path",
    "entrypoint",
    "state",
    "rejected",
    "quarantined",
    "no_router",
)
_UNPUBLISHABLE = "traefik"  # its own entrypoint: its API, which no route of ours is on


def explain(target: Target, entrypoint: str | None, knowledge: Knowledge) -> Explanation:
    """Who answers on each entrypoint that the URL may mean, and why the others do not.

    `entrypoint` narrows them. Traefiks that could not be reached have no say.
    """
    reached = tuple(facts for facts in knowledge.traefiks if facts.reached)
    fitting = routed_fitting(target.host, knowledge)
    others = Others(target, reached)
    names = _entrypoints(target, entrypoint, fitting, others, knowledge)
    outcomes = [answer_on(name, target, fitting, others.on(name)) for name in names]
    # Those that answer stand first, also where the first entrypoint has no answer.
    outcomes_by_use = sorted(outcomes, key=lambda outcome: outcome.answer.winner is None)
    silent = [
        *(candidate for outcome in outcomes for candidate in outcome.silent),
        *_elsewhere(names, target, fitting),
        *claiming_nothing(target.host, knowledge),
    ]
    return Explanation(
        answers=tuple(outcome.answer for outcome in outcomes),
        candidates=(
            *(candidate for outcome in outcomes_by_use for candidate in outcome.standing),
            *sorted(silent, key=lambda each: (_SILENT.index(each.reason), each.slug or "")),
        ),
        notes=(
            *(() if fitting or outcomes or silent else (f"no record names {target.host}",)),
            *_notes(target, entrypoint, outcomes, knowledge),
        ),
    )


def _entrypoints(
    target: Target,
    entrypoint: str | None,
    fitting: Sequence[Fitting],
    others: Others,
    knowledge: Knowledge,
) -> list[str]:
    claimed = {claim.entrypoint for each in fitting for claim in each.claims}
    meant = {
        name
        for name in claimed | others.entrypoints
        if (name in knowledge.tls_entrypoints) is target.tls and name != _UNPUBLISHABLE
    }
    return sorted(meant if entrypoint is None else meant & {entrypoint})


def _elsewhere(
    names: Sequence[str], target: Target, fitting: Sequence[Fitting]
) -> Iterator[Candidate]:
    kind = "https" if target.tls else "http"
    for each in fitting:
        used = dict.fromkeys(claim.entrypoint for claim in each.claims)
        if used.keys().isdisjoint(names):
            words = f"it is on {', '.join(used)}, and {kind} was asked for"
            where = f" on {', '.join(names)}" if names else ""
            yield Candidate(
                reason="entrypoint",
                message=f"{words}{where}; {each.broken}" if each.broken else words + where,
                environment_id=each.fragment.environment_id,
                slug=each.fragment.slug,
                claim=each.claims[0],
                quarantined=each.broken is not None,
            )


def _notes(
    target: Target,
    entrypoint: str | None,
    outcomes: Sequence[Outcome],
    knowledge: Knowledge,
) -> Iterator[str]:
    if entrypoint is not None and not outcomes:
        yield _unused(target, entrypoint, knowledge)
    for facts in knowledge.traefiks:
        if facts.reached:
            yield from _of_traefik(facts, [each.answer for each in outcomes], knowledge)
        else:
            yield f"{facts.url} was not reached, so its other routers are not known"


def _unused(target: Target, entrypoint: str, knowledge: Knowledge) -> str:
    is_tls = entrypoint in knowledge.tls_entrypoints
    if is_tls is target.tls:
        return f"nothing that fits this host is on the entrypoint {entrypoint!r}"
    serves, asked = ("https", "http") if is_tls else ("http", "https")
    return (
        f"{entrypoint} is {'' if is_tls else 'not '}in TLS_ENTRYPOINTS: it serves {serves}, "
        f"not {asked}"
    )


def _of_traefik(
    facts: TraefikFacts, answers: Sequence[Answer], knowledge: Knowledge
) -> Iterator[str]:
    """Why a Traefik may do otherwise than the document in force says."""
    if facts.live_digest != knowledge.document.digest:
        yield f"{facts.url} does not run the document in force, which this is about"
    known = {each.name for each in facts.entrypoints}
    for answer in answers:
        if known and answer.entrypoint not in known:
            yield f"{facts.url} has no entrypoint {answer.entrypoint!r}: nothing is served there"
        if isinstance(answer.winner, Contender):
            name, _ = serving(answer.winner, knowledge)
            for fault in facts.faults:
                # Traefik may put an entrypoint before the name: `websecure-env-a.exact.web@http`.
                local = fault.name.removesuffix(f"@{OUR_PROVIDER}")
                if fault.status == "disabled" and (local == name or local.endswith(f"-{name}")):
                    yield f"{facts.url} has disabled {name}: {'; '.join(fault.errors)}"

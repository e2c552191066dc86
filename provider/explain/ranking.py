"""One entrypoint: who matches, in Traefik's order, and why each of the others does not answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from provider.explain.records import Fitting
from provider.explain.target import Target
from provider.explain.values import Answer, Candidate, Contender, Other, Reason
from provider.render.fragment import Claim
from provider.render.rules import is_wildcard, priority


class Outcome(NamedTuple):
    """The answer, those that match or may, and our claims there that cannot answer."""

    answer: Answer
    standing: list[Candidate]
    silent: list[Candidate]


def answer_on(
    entrypoint: str, target: Target, fitting: Sequence[Fitting], others: Sequence[Other]
) -> Outcome:
    """What becomes of the request on one entrypoint."""
    contenders = sorted(_contenders(entrypoint, target, fitting), key=lambda each: -each.priority)
    ranked = _ranked(contenders, others)
    winner = next((each for each in ranked if isinstance(each, Contender) or each.sure), None)
    before = _may_go_before(winner, others)
    answer = Answer(entrypoint, winner, tuple(other.router.name for other in before))
    broken = {id(each.fragment): each.broken for each in fitting}
    standing = [
        _other(entrypoint, each, winner)
        if isinstance(each, Other)
        else _ours(each, winner, contenders[0], broken[id(each.fragment)])
        for each in sorted(ranked, key=lambda each: each is not winner)
    ]
    matched = {each.fragment.environment_id for each in contenders}
    rest = [each for each in fitting if each.fragment.environment_id not in matched]
    return Outcome(answer, standing, list(_without_a_say(entrypoint, target, rest)))


def leads_to(claim: Claim, routing_path: str) -> bool:
    """Whether a claim's path catches a cleaned path."""
    return (
        claim.path == "/" or routing_path == claim.path or routing_path.startswith(f"{claim.path}/")
    )


def _ranked(contenders: Sequence[Contender], others: Sequence[Other]) -> list[Contender | Other]:
    """As Traefik scans them. Of equals ours stand first, though Traefik does not say."""
    both: list[Contender | Other] = [*contenders, *others]
    return sorted(both, key=lambda each: -each.priority)


def _contenders(entrypoint: str, target: Target, fitting: Sequence[Fitting]) -> Iterator[Contender]:
    for each in fitting:
        kept = [
            claim
            for claim in each.claims
            if claim.entrypoint == entrypoint
            and claim not in each.lost
            and leads_to(claim, target.routing_path)
        ]
        if kept:
            best = max(kept, key=lambda claim: priority(claim.host, claim.path))
            yield Contender(each.fragment, best, priority(best.host, best.path))


def _may_go_before(winner: Contender | Other | None, others: Sequence[Other]) -> list[Other]:
    return [other for other in others if other is not winner and _may_precede(other, winner)]


def _may_precede(other: Other, winner: Contender | Other | None) -> bool:
    # Of equals of two providers nobody knows which goes first.
    return winner is None or other.priority >= winner.priority


def _ours(
    one: Contender, winner: Contender | Other | None, best: Contender, broken: str | None
) -> Candidate:
    reason, message = _why(one, winner, best)
    return Candidate(
        reason=reason,
        message=f"{message}; {broken}" if broken else message,
        entrypoint=one.claim.entrypoint,
        environment_id=one.fragment.environment_id,
        slug=one.fragment.slug,
        claim=one.claim,
        priority=one.priority,
        quarantined=broken is not None,
    )


def _why(one: Contender, winner: Contender | Other | None, best: Contender) -> tuple[Reason, str]:
    if one is winner:
        return "answers", f"its {_named(one.claim)} goes first"
    if one is best and isinstance(winner, Other):
        return "neighbour", (
            f"{winner.router.name} goes first, with priority {winner.priority} over {one.priority}"
        )
    over = f"{best.fragment.environment_id} ({best.fragment.slug})"
    if is_wildcard(one.claim.host) and not is_wildcard(best.claim.host):
        return "host_kind", f"an exact host goes before a wildcard: {over} names {best.claim.host}"
    return "path_length", f"a longer prefix goes first: {over} has {best.claim.path}"


def _named(claim: Claim) -> str:
    return f"{'wildcard' if is_wildcard(claim.host) else 'exact'} host {claim.host}{claim.path}"


def _other(entrypoint: str, other: Other, winner: Contender | Other | None) -> Candidate:
    goes_first = True if other is winner else None if _may_precede(other, winner) else False
    verb = "catches it" if other.caught.value == "yes" else "may catch it"
    rank = {True: "goes first", False: "does not go first", None: "may go first"}[goes_first]
    where = "" if other.everywhere else f", on {', '.join(other.traefiks)} alone"
    what = "; it redirects the whole entrypoint" if other.redirect else ""
    return Candidate(
        reason="neighbour",
        message=f"{other.router.name} {verb}, with priority {other.priority}: {rank}{where}{what}",
        entrypoint=entrypoint,
        priority=other.priority,
        other=other,
        goes_first=goes_first,
    )


def _without_a_say(
    entrypoint: str, target: Target, fitting: Sequence[Fitting]
) -> Iterator[Candidate]:
    for each in fitting:
        here = [claim for claim in each.claims if claim.entrypoint == entrypoint]
        if not here:
            continue
        claim = max(here, key=lambda one: priority(one.host, one.path))
        lost = each.lost.get(claim) if leads_to(claim, target.routing_path) else None
        words = f"its prefix {claim.path} does not match {target.routing_path}"
        if lost:
            words = lost.message
        yield Candidate(
            reason="conflict" if lost else "path",
            message=f"{words}; {each.broken}" if each.broken else words,
            entrypoint=entrypoint,
            environment_id=each.fragment.environment_id,
            slug=each.fragment.slug,
            claim=claim,
            priority=priority(claim.host, claim.path),
            holder=lost.holder if lost else None,
            quarantined=each.broken is not None,
        )

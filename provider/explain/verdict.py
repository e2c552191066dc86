"""What came back through Traefik, against what was foretold."""

from __future__ import annotations

from dataclasses import dataclass

from provider.explain.values import Answer, Other
from provider.observe.probe import Probed

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UPSTREAM_FAILED = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is as foretold; None where it cannot be told."""

    agrees: bool | None
    note: str


def compare(answer: Answer | None, probed: Probed) -> Verdict:
    """Which router answered cannot be seen from outside: only whether any did."""
    if probed.status is None:
        return Verdict(None, "nothing came back")
    winner = answer.winner if answer else None
    unmatched = is_traefiks_404(probed)
    if winner is None:
        return _foretold_nobody(answer, unmatched)
    if unmatched:
        return Verdict(
            False,
            "Traefik's own 404: no router matched, unless the upstream has the very same one",
        )
    if isinstance(winner, Other) and winner.redirect:
        redirects = probed.status in _REDIRECTS
        return Verdict(redirects, "" if redirects else "a redirection was expected")
    if probed.status in _UPSTREAM_FAILED:
        return Verdict(True, "a router matched, and its upstream did not answer as it should")
    return Verdict(True, "a router answered; which one cannot be seen from outside")


def is_traefiks_404(probed: Probed) -> bool:
    """Whether it looks like Traefik's answer to what no router matches."""
    plain = probed.content_type.startswith("text/plain")
    return probed.status == 404 and plain and b"404 page not found" in probed.body[:64]


def _foretold_nobody(answer: Answer | None, unmatched: bool) -> Verdict:
    if unmatched:
        return Verdict(True, "Traefik's own 404: no router matched")
    if answer is not None and answer.unless:
        return Verdict(None, f"perhaps one of these: {', '.join(answer.unless)}")
    return Verdict(False, "something answered, and no router that we know of matches")

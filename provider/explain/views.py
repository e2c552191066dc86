"""An explanation as JSON values."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from provider.explain.paths import upstream_target
from provider.explain.records import serving
from provider.explain.target import Target
from provider.explain.values import Answer, Candidate, Contender, Explanation, Knowledge, Other
from provider.render.fragment import Claim, Fragment


def explanation_view(
    target: Target, explanation: Explanation, knowledge: Knowledge
) -> dict[str, Any]:
    """The whole answer of `/api/routes/explain`, but for a probe."""
    first = explanation.answer
    answers = [
        {
            "entrypoint": each.entrypoint,
            "answer": _answer(each, target, knowledge),
            "unless": list(each.unless),
        }
        for each in explanation.answers
    ]
    return {
        "url": target.url,
        "answer": _answer(first, target, knowledge) if first else None,
        "answers": answers,
        "candidates": [_candidate(each) for each in explanation.candidates],
        "notes": list(explanation.notes),
    }


def _answer(answer: Answer, target: Target, knowledge: Knowledge) -> dict[str, Any] | None:
    if answer.winner is None:
        return None
    if isinstance(answer.winner, Other):
        view = _of_other(answer.winner)
    else:
        view = _of_ours(answer.winner, target, knowledge)
    return {**view, "entrypoint": answer.entrypoint, "unless": list(answer.unless)}


def _of_other(other: Other) -> dict[str, Any]:
    return {
        "environment": None,
        "slug": None,
        "route": None,
        **_router(other),
        "service": other.router.service,
    }


def _router(other: Other) -> dict[str, Any]:
    return {
        "router": other.router.name,
        "provider": other.router.provider,
        "rule": other.router.rule,
        "priority": other.priority,
        "redirect": other.redirect,
        "traefiks": list(other.traefiks),
    }


def _of_ours(winner: Contender, target: Target, knowledge: Knowledge) -> dict[str, Any]:
    fragment = winner.fragment
    name, router = serving(winner, knowledge)
    strip, add = strip_and_add(fragment)
    made = {name for name, _ in fragment.middlewares}
    return {
        "environment": fragment.environment_id,
        "slug": fragment.slug,
        "route": _route(winner.claim),
        "router": name,
        "provider": "http",
        "rule": router["rule"],
        "priority": router["priority"],
        "tls": "tls" in router,
        "strip": strip,
        "add": add,
        "middlewares": [each for each in fragment.middleware_names if each not in made],
        "upstreams": list(fragment.upstreams),
        "upstream_path": upstream_target(target.path, target.query, strip, add),
        "host_header": _host_header(fragment, target),
    }


def strip_and_add(fragment: Fragment) -> tuple[str | None, str | None]:
    """The prefix that is taken off, and the one that is put before; None for neither."""
    strip = add = None
    for _, middleware in fragment.middlewares:
        if "stripPrefix" in middleware:
            strip = middleware["stripPrefix"]["prefixes"][0]
        if "addPrefix" in middleware:
            add = middleware["addPrefix"]["prefix"]
    return strip, add


def _host_header(fragment: Fragment, target: Target) -> str | None:
    """What the upstream sees; None where each of several upstreams sees its own name."""
    if fragment.pass_host_header:
        return target.host_header
    names = {urlsplit(url).netloc for url in fragment.upstreams}
    return names.pop() if len(names) == 1 else None


def _route(claim: Claim) -> dict[str, str]:
    return {"host": claim.host, "path_prefix": claim.path, "entrypoint": claim.entrypoint}


def _candidate(candidate: Candidate) -> dict[str, Any]:
    view: dict[str, Any] = {
        "environment": candidate.environment_id,
        "slug": candidate.slug,
        "entrypoint": candidate.entrypoint,
        "reason": candidate.reason,
        "message": candidate.message,
        "route": _route(candidate.claim) if candidate.claim else None,
        "priority": candidate.priority,
    }
    if candidate.other is not None:
        caught = candidate.other.caught.value
        return {**view, **_router(candidate.other), "catches": caught,
                "goes_first": candidate.goes_first}  # fmt: skip
    return {**view, "holder": candidate.holder, "quarantined": candidate.quarantined}

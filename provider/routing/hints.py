"""Traefik's words about a router, and what would be right. Pure.

Source: traefik `pkg/server/router/router.go`, `pkg/config/runtime/runtime_http.go`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from provider.observe.facts import OUR_PROVIDER, RouterFact, TraefikFacts

_NAMES_MAX = 8
_MISSING_MIDDLEWARE = re.compile(r'middleware "([^"]+)" does not exist')
_MISSING_ENTRYPOINT = re.compile(r"entryPoint \"([^\"]+)\" doesn't exist")
_MISSING_TRANSPORT = re.compile(r"servers ?transport", re.IGNORECASE)


def words_of(router: RouterFact, facts: TraefikFacts) -> str:
    """The router, Traefik's own words, and a hint where there is one."""
    words = "; ".join(router.errors) or "without a word of Traefik's"
    hints = [hint for error in router.errors for hint in _hints(error, facts)]
    said = "".join(f" ({hint})" for hint in dict.fromkeys(hints))
    return f"router {router.name} is {_STATE.get(router.status, router.status)}: {words}{said}"


_STATE = {"warning": "enabled with a warning"}


def _hints(error: str, facts: TraefikFacts) -> Iterable[str]:
    missing = _MISSING_MIDDLEWARE.search(error)
    if missing:
        yield _existing("middlewares", missing.group(1), facts.middlewares)
    missing = _MISSING_ENTRYPOINT.search(error)
    if missing:
        names = frozenset(entrypoint.name for entrypoint in facts.entrypoints)
        yield _existing("entrypoints", missing.group(1), names)
    if _MISSING_TRANSPORT.search(error):
        yield "the setting SERVERS_TRANSPORT names it: define it in another provider, as NAME@file"


_NOT_THEIRS = (f"@{OUR_PROVIDER}", "@internal")


# Comparing names takes its time, and many routers may want the same one.
@lru_cache(maxsize=64)
def _existing(what: str, wanted: str, names: frozenset[str]) -> str:
    """The names that exist and may be used, the nearest first."""
    known = sorted(name for name in names if not name.endswith(_NOT_THEIRS))
    if not known:
        return f"this Traefik has no {what} of other providers"
    near = difflib.get_close_matches(wanted, known, n=_NAMES_MAX, cutoff=0.4)
    shown = list(dict.fromkeys((*near, *known)))[:_NAMES_MAX]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"{what} that exist: {', '.join(shown)}{more}"

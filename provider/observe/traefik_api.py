"""Asking one Traefik's API: a few cheap requests at each look, more at a survey. I/O only.

Source: traefik `pkg/api/handler.go`: lists have pages, and `X-Next-Page: 1` is the last one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp

from provider.observe import traefik_answers as answers
from provider.observe.facts import OUR_PROVIDER, RouterFact, TraefikFacts
from provider.observe.traefik_answers import Nonsense
from provider.render.document import MARKER

LOOK_S = 3.0
SURVEY_REQUEST_S = 15.0
ANSWER_BYTES_MAX = 1024 * 1024
LIST_BYTES_MAX = 32 * ANSWER_BYTES_MAX
_PAGE = 10_000
_PAGES_MAX = 50
_IN_A_THREAD_BYTES = 256 * 1024
_TRIES = 3
# RecursionError: JSON that is nested too deep.
_FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError)


def without_user(url: str) -> str:
    """A URL that may be shown: no user information, query or fragment. Equal for equal APIs."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


class TraefikApi:
    """One API. User information in its URL is sent as basic auth and is never shown."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, clock: Callable[[], datetime]
    ) -> None:
        self.url = without_user(url)
        self._session, self._clock = session, clock
        parts = urlsplit(url)
        self._headers = {}
        if parts.username or parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
            self._headers["Authorization"] = aiohttp.encode_basic_auth(user, password)

    async def look(self, before: TraefikFacts, expected: str | None) -> TraefikFacts:
        """The facts of now; those of before with their `problem`, when it does not answer.

        `expected` is the digest that it should run. What belongs together is read between two
        looks at the marker, so that it is of one document.
        """
        try:
            async with asyncio.timeout(LOOK_S):
                for _ in range(_TRIES):
                    facts = await self._looked(before, expected)
                    if facts is not None:
                        return facts
        except _FAILURES as error:
            return replace(before, problem=_reason(error))
        return replace(before, problem="its configuration changes while it is looked at")

    async def survey(self, before: TraefikFacts) -> TraefikFacts:
        """The facts of a look, with what is looked at more rarely brought up to date.

        When that fails, they stay as they were, with their `survey_problem`.
        """
        try:
            async with asyncio.timeout(SURVEY_REQUEST_S):
                return await self._surveyed(before)
        except _FAILURES as error:
            return replace(before, survey_problem=_reason(error))

    async def runs(self, digest: str) -> bool:
        """Whether it runs exactly this document, as far as it can be told now: one request."""
        try:
            async with asyncio.timeout(LOOK_S):
                return await self._has_marker(digest)
        except _FAILURES:
            return False

    async def _looked(self, before: TraefikFacts, expected: str | None) -> TraefikFacts | None:
        looked_at = self._clock()  # before anything is asked: it is at least so new
        version, started_at = answers.version_of(await self._get("version"))
        digest = await self._digest(expected)
        faults = [
            router
            for status in ("disabled", "warning")
            for router in await self._at_fault(status)
            if router.provider == OUR_PROVIDER
        ]
        overview = await self._get("overview")
        if digest is not None and not await self._has_marker(digest):
            return None
        return replace(
            before,
            looked_at=looked_at,
            problem=None,
            version=version,
            started_at=started_at,
            live_digest=digest,
            faults=tuple(faults),
            routers=answers.router_count(overview),
        )

    async def _surveyed(self, before: TraefikFacts) -> TraefikFacts:
        routers = await self._routers("http/routers")
        middlewares = await self._list("http/middlewares") if before.faults else []
        services = [
            service
            for status in ("disabled", "warning")
            for service in answers.services_in(await self._list(f"http/services?status={status}"))
            if service.name.endswith(f"@{OUR_PROVIDER}")
        ]
        return replace(
            before,
            entrypoints=tuple(answers.entrypoints_in(await self._list("entrypoints"))),
            neighbours=tuple(each for each in routers if each.provider != OUR_PROVIDER),
            middlewares=frozenset(answers.names_in(middlewares)),
            services=tuple(services),
            certificates=await self._certificates(before),
            surveyed_at=self._clock(),
            survey_problem=None,
        )

    async def _certificates(self, before: TraefikFacts) -> tuple[Any, ...]:
        try:
            return tuple(answers.certificates_in(await self._list("certificates")))
        except aiohttp.ClientResponseError as error:
            if error.status == 404:  # before Traefik 3.7
                return before.certificates
            raise

    async def _digest(self, expected: str | None) -> str | None:
        if expected is not None and await self._has_marker(expected):
            return expected
        return answers.digest_in(await self._list(f"http/middlewares?search={MARKER}"))

    async def _has_marker(self, digest: str) -> bool:
        try:
            found = await self._get(f"http/middlewares/{MARKER}{digest}@{OUR_PROVIDER}")
        except aiohttp.ClientResponseError as error:
            if error.status == 404:
                return False
            raise
        return answers.digest_in([found]) == digest

    async def _at_fault(self, status: str) -> list[RouterFact]:
        """The routers of one status; what filters otherwise is no Traefik."""
        routers = await self._routers(f"http/routers?status={status}")
        if any(router.status != status for router in routers):
            raise Nonsense(f"not the routers with status {status}")
        return routers

    async def _routers(self, path: str) -> list[RouterFact]:
        return list(answers.routers_in(await self._list(path)))

    async def _list(self, path: str) -> list[Any]:
        """All pages of a list, which together are bounded."""
        items: list[Any] = []
        page, left_bytes = 1, LIST_BYTES_MAX
        sign = "&" if "?" in path else "?"
        for _ in range(_PAGES_MAX):
            query = f"{sign}per_page={_PAGE}&page={page}"
            answer, following, size_bytes = await self._page(path + query, left_bytes)
            left_bytes -= size_bytes
            if not isinstance(answer, list):
                raise Nonsense("not a list")
            items += answer
            if not following.isdigit() or int(following) <= page:
                return items
            page = int(following)
        raise Nonsense(f"more than {_PAGES_MAX} pages of {_PAGE}")

    async def _get(self, path: str) -> Any:
        return (await self._page(path, ANSWER_BYTES_MAX))[0]

    async def _page(self, path: str, bytes_max: int) -> tuple[Any, str, int]:
        """A value, the page that follows, and how many bytes the value took."""
        async with self._session.get(
            f"{self.url}/api/{path}", headers=self._headers, allow_redirects=False
        ) as response:
            response.raise_for_status()
            if response.status != 200:
                raise Nonsense(f"status {response.status}")
            content = await _bounded(response.content, bytes_max)
            following = response.headers.get("X-Next-Page", "")
        if len(content) > _IN_A_THREAD_BYTES:
            return await asyncio.to_thread(json.loads, content), following, len(content)
        return json.loads(content), following, len(content)


async def _bounded(stream: aiohttp.StreamReader, bytes_max: int) -> bytes:
    chunks, left_bytes = [], bytes_max
    async for chunk in stream.iter_any():
        left_bytes -= len(chunk)
        if left_bytes < 0:
            raise Nonsense("longer than any answer of its")
        chunks.append(chunk)
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    """Words without the URL, which may carry a password."""
    if isinstance(error, aiohttp.ClientResponseError):
        return f"its API answers with status {error.status}"
    if isinstance(error, TimeoutError):
        return "its API does not answer in time"
    if isinstance(error, ValueError | RecursionError):
        detail = f": {error}" if isinstance(error, Nonsense) else ""
        return f"its API gives an answer that is not Traefik's{detail}"
    return "nothing answers at its API"

"""One GET of `health.url`, without trust in who answers. I/O only, judging nothing but an answer.

The name is resolved once, each address is checked, and the connection goes to a checked address:
a name that changes meanwhile leads nowhere else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

import aiohttp
from yarl import URL

from provider.observe.name_lookup import Lookup, LookupsBusy, NameLookup
from provider.observe.plumbing import ProbeFact
from provider.observe.reach import parsed, refusal
from registry.names import canonical_host
from registry.schema import ROUTED_STATES, Environment

AT_ONCE = 10
PROBE_S = 5.0
BODY_BYTES_MAX = 64 * 1024
REDIRECTS_MAX = 3
_ADDRESSES_MAX = 3
_DETAIL_LENGTH_MAX = 300
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": "routebook-probe/1", "Accept": "*/*", "Accept-Encoding": "identity"}


class NotAsked(Exception):
    """The address is one that is never asked, or could not be looked at."""


class _Bad(Exception):
    """An answer that is not good, or none; `status` is that of HTTP."""

    def __init__(self, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.status = status


class HealthProbe:
    """Asks environments how they are. `forbidden` is that of `Rules.forbidden_upstreams`.

    `tls` says which authorities are trusted, by default those of the machine: aiohttp has read
    them, which takes 25 ms.
    """

    def __init__(
        self,
        forbidden: Mapping[tuple[str, int], str],
        clock: Callable[[], datetime],
        *,
        public_only: bool = False,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        probe_s: float = PROBE_S,
    ) -> None:
        self._forbidden, self._clock, self._public_only = forbidden, clock, public_only
        self._lookup: Lookup = lookup or NameLookup()
        self._tls: ssl.SSLContext | Literal[True] = tls or True
        self._probe_s = probe_s

    async def look(self, environments: Iterable[Environment]) -> dict[str, ProbeFact]:
        """A fact of each environment that has a `health.url` and is active or in maintenance.

        10 at once, 5 seconds each. Never raises for what comes back.
        """
        room = asyncio.Semaphore(AT_ONCE)

        async def one(environment_id: str, url: str) -> ProbeFact:
            """One of them, when it is its turn."""
            async with room:
                return await self._fact(environment_id, url)

        asked = [
            one(each.environment_id, each.health.url)
            for each in environments
            if each.health.url and each.lifecycle.state in ROUTED_STATES
        ]
        return {fact.environment_id: fact for fact in await asyncio.gather(*asked)}

    async def _fact(self, environment_id: str, url: str) -> ProbeFact:
        is_good: bool | None = False
        status: int | None = None
        detail: str | None = None
        try:
            async with asyncio.timeout(self._probe_s):
                status, is_good = await self._followed(URL(url)), True
        except TimeoutError:
            detail = f"no whole answer within {self._probe_s:g} seconds"
        except NotAsked as error:
            is_good, detail = None, str(error)
        except _Bad as error:
            status, detail = error.status, str(error)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            detail = _words(error)
        short = detail[:_DETAIL_LENGTH_MAX] if detail else None
        return ProbeFact(environment_id, url, self._clock(), is_good, status, short)

    async def _followed(self, url: URL) -> int:
        """The status of the last answer, a good one. Raises NotAsked, _Bad and what HTTP does."""
        for _ in range(REDIRECTS_MAX + 1):
            status, location = await self._asked(url)
            if 200 <= status < 300:
                return status
            if status not in _REDIRECTS or location is None:
                raise _Bad(f"status {status}", status)
            url = _next(url, location, status)
        raise _Bad(f"more than {REDIRECTS_MAX} redirects", status)

    async def _asked(self, url: URL) -> tuple[int, str | None]:
        """Status and `Location` of the answer of the first address that can be connected to."""
        unreached: aiohttp.ClientConnectorError | None = None
        for address in await self._reachable(url):
            try:
                return await self._got(url, address)
            except aiohttp.ClientSSLError:
                raise
            except aiohttp.ClientConnectorError as error:
                unreached = error
        raise unreached or _Bad("the name has no address")

    async def _reachable(self, url: URL) -> list[str]:
        """The addresses of its host that may be asked. Raises NotAsked when there are only others.

        A host of digits alone is no exception: the resolver says which address it stands for.
        """
        host = url.raw_host or ""
        try:
            found = await self._lookup(host)
        except LookupsBusy as error:
            raise NotAsked(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise _Bad("the name does not resolve") from error
        reasons = {
            address: refusal(
                canonical_host(host),
                address,
                url.port or 0,
                self._forbidden,
                public_only=self._public_only,
            )
            for address in found
        }
        allowed = [address for address, reason in reasons.items() if reason is None]
        if not allowed and reasons:
            raise NotAsked(next(iter(reasons.values())) or "")
        return allowed[:_ADDRESSES_MAX]

    async def _got(self, url: URL, address: str) -> tuple[int, str | None]:
        connector = aiohttp.TCPConnector(ssl=self._tls, force_close=True)
        async with (
            aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.get(
                url.with_host(str(parsed(address))),
                headers={**_HEADERS, "Host": url.raw_authority},
                server_hostname=canonical_host(url.raw_host or ""),
                allow_redirects=False,
            ) as response,
        ):
            left = BODY_BYTES_MAX
            while left > 0 and (part := await response.content.read(left)):
                left -= len(part)
            if left <= 0:
                response.close()
            return response.status, response.headers.get("Location")


def _next(url: URL, location: str, status: int) -> URL:
    """Where a redirect leads, on the same host; from http to https, never back."""
    target = url.join(URL(location))
    if target.scheme not in ("http", "https") or (url.scheme, target.scheme) == ("https", "http"):
        raise _Bad(f"redirects from {url.scheme} to {target.scheme or 'nowhere'}", status)
    if canonical_host(target.raw_host or "") != canonical_host(url.raw_host or ""):
        raise _Bad(f"redirects to another host, {target.raw_host}", status)
    return target.with_user(None)


def _words(error: Exception) -> str:
    """What went wrong, without the URL: its query may hold what is nobody's business."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        return f"its certificate: {getattr(cause, 'verify_message', None) or cause}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | ConnectionError):
        return "closed the connection without a whole answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the body breaks off"
    return f"no answer of HTTP ({type(error).__name__})"

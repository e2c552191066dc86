"""Names in DNS: what the resolver says of each, and that it says nothing. I/O only."""

from __future__ import annotations

import asyncio
import errno
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
from dns.asyncresolver import Resolver
from dns.resolver import NXDOMAIN, Answer, NoNameservers

from provider.observe.names import name_server
from provider.observe.plumbing import DnsFact
from registry.names import is_address
from registry.store import utc_now

AT_ONCE = 20
NAME_S = 3.0
TRY_S = 1.0
LOOK_S = 30.0
# A server that fails for so many in a row is down: the rest is for the next look.
_FAILED_MAX = 2 * AT_ONCE
NAMES_MAX = 2000
WILDCARD_LABEL = "routebook-check"
_ADDRESSES_MAX = 100
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class _Told:
    """What came back for one name and one type of record; `failure` says that nothing did."""

    addresses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    no_such_name: bool = False
    failure: str | None = None


class DnsObserver:
    """Asks `server`, as `name_server` reads it; None stands for the system's resolvers.

    It must be one that follows CNAME records itself, as every resolver does. Nothing is kept from
    one look to the next, but where to go on: a look takes 2,000 names and 30 seconds at most, and
    the next one begins with those that it did not reach. It ends early where nothing answers.
    """

    def __init__(
        self,
        server: str | None,
        clock: Callable[[], datetime] = utc_now,
        *,
        name_s: float = NAME_S,
        look_s: float = LOOK_S,
        names_max: int = NAMES_MAX,
    ) -> None:
        self._server, self._clock = name_server(server) if server else None, clock
        self._name_s, self._look_s, self._names_max = name_s, look_s, names_max
        self._last = ""

    async def look(self, names: Iterable[str]) -> dict[str, DnsFact]:
        """A fact for each canonical name; those that there was no time for are left out.

        IP literals and what ends in `localhost` (RFC 6761) are answered without a query.
        """
        known = dict.fromkeys(names)
        facts = {name: self._found(name, own) for name in known if (own := _answered(name))}
        asked = sorted(name for name in known if name not in facts)
        if not asked:
            return facts
        try:
            resolver = await asyncio.to_thread(_resolver, self._server)
        except (dns.exception.DNSException, OSError, ValueError):
            failed = _Told(failure="no resolver is configured")
            return facts | {name: self._fact(name, failed, failed) for name in asked}
        await self._ask_all(resolver, self._in_turn(asked), facts)
        return facts

    def _in_turn(self, names: list[str]) -> Iterator[str]:
        """Those after the last name that was asked for, then those before it."""
        first = bisect_right(names, self._last)
        return iter([*names[first:], *names[:first]][: self._names_max])

    async def _ask_all(
        self, resolver: Resolver, names: Iterator[str], facts: dict[str, DnsFact]
    ) -> None:
        now_s = asyncio.get_running_loop().time
        end_s, failed = now_s() + self._look_s, 0

        async def work() -> None:
            nonlocal failed
            for name in names:
                if now_s() >= end_s or failed >= _FAILED_MAX:
                    return
                self._last = name
                fact = facts[name] = await self._ask(resolver, name)
                failed = failed + 1 if fact.outcome == "failed" else 0

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def _ask(self, resolver: Resolver, name: str) -> DnsFact:
        types = dns.rdatatype.A, dns.rdatatype.AAAA
        told = await asyncio.gather(*(self._told(resolver, name, each) for each in types))
        return self._fact(name, *told)

    async def _told(self, resolver: Resolver, name: str, rdtype: dns.rdatatype.RdataType) -> _Told:
        try:
            absolute = dns.name.from_text(f"{_asked_for(name)}.")
            async with asyncio.timeout(self._name_s):
                answer = await resolver.resolve(
                    absolute, rdtype, raise_on_no_answer=False, lifetime=self._name_s
                )
            return _Told(_addresses(answer), _aliases(answer.response))
        except NXDOMAIN as error:
            (response,) = error.kwargs["responses"].values()
            return _Told(aliases=_aliases(response), no_such_name=True)
        except (dns.exception.Timeout, TimeoutError):
            return _Told(failure=f"no answer within {self._name_s:g} seconds")
        except NoNameservers as error:
            return _Told(failure=_why(error))
        except Exception as error:  # of this name alone: whatever a name server makes us trip over
            return _Told(failure=_words(error))

    def _fact(self, name: str, *told: _Told) -> DnsFact:
        """Both families as one fact: any address is one, and of half an answer the rest is not."""
        addresses = sorted({address for each in told for address in each.addresses})
        aliases = max((each.aliases for each in told), key=len)
        failures = dict.fromkeys(each.failure for each in told if each.failure)
        detail = "; ".join(failures) or None
        if addresses:
            return self._found(name, tuple(addresses[:_ADDRESSES_MAX]), aliases, detail)
        if detail is None or any(each.no_such_name for each in told):
            return DnsFact(name, "absent", self._clock(), aliases=aliases)
        return DnsFact(name, "failed", self._clock(), aliases=aliases, detail=detail)

    def _found(
        self,
        name: str,
        addresses: tuple[str, ...],
        aliases: tuple[str, ...] = (),
        detail: str | None = None,
    ) -> DnsFact:
        return DnsFact(name, "found", self._clock(), addresses, aliases, detail)


def _answered(name: str) -> tuple[str, ...]:
    if is_address(name):
        return (name,)
    return _LOOPBACK if name == "localhost" or name.endswith(".localhost") else ()


def _asked_for(name: str) -> str:
    return f"{WILDCARD_LABEL}.{name[2:]}" if name.startswith("*.") else name


def _resolver(server: tuple[str, int] | None) -> Resolver:
    """Reads /etc/resolv.conf when there is no server: in a thread, once a look."""
    resolver = Resolver(configure=server is None)
    if server is not None:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.timeout = TRY_S  # else `options timeout:` of a resolv.conf may outlast the name
    return resolver


def _addresses(answer: Answer) -> tuple[str, ...]:
    return tuple(record.address for record in answer)


def _aliases(response: dns.message.QueryMessage) -> tuple[str, ...]:
    chain = response.resolve_chaining().cnames
    return tuple(each[0].target.to_text(omit_final_dot=True).lower() for each in chain)


def _why(error: NoNameservers) -> str:
    """What each name server did instead of answering, each once."""
    said = dict.fromkeys(_words(cause) for *_, cause, _ in error.kwargs.get("errors", ()))
    return ", ".join(said) or "no name server is left to ask"


def _words(cause: object) -> str:
    """The code of a response as it stands (SERVFAIL); of an error its kind, never its data."""
    if isinstance(cause, OSError):
        return errno.errorcode.get(cause.errno or 0, type(cause).__name__)
    if isinstance(cause, Exception):
        return f"an answer that cannot be read ({type(cause).__name__})"
    return str(cause)

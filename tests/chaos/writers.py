"""Concurrent writers over HTTP: each notes what it tried, and what was acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.folder import TOKEN, record

_PAUSE_S = 0.004
_DOWN_S = 0.1
_ANSWER_S = 60.0


@dataclass
class Owned:
    """A record that one writer alone changes.

    `possible` are the tokens that may be in force, None for no record: one after an acknowledged
    write, more while it is unknown whether a write arrived before the kill.
    """

    slug: str
    routed: bool
    possible: set[str | None] = field(default_factory=lambda: {None})

    @property
    def environment_id(self) -> str:
        """The record's id."""
        return f"env-{self.slug}"


@dataclass
class Ledger:
    """What was tried and acknowledged, of all writers; a token None is a deletion."""

    attempted: set[tuple[str, str | None]] = field(default_factory=set)
    acknowledged: list[tuple[str, str | None]] = field(default_factory=list)
    unknown: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Writer:
    """Creates, patches and deletes its own records, one request at a time."""

    def __init__(self, name: str, ledger: Ledger, seed: int) -> None:
        self._ledger, self._random = ledger, random.Random(f"{seed}/{name}")
        self.records = [Owned(f"{name}-{n}", routed=n == 0) for n in range(3)]
        self._serial = 0

    async def write_until(self, stop: asyncio.Event, url: str) -> None:
        """Write, through restarts, until told to stop."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        async with aiohttp.ClientSession(url, timeout=timeout) as session:
            while not stop.is_set():
                answered = await self.write(session)
                await asyncio.sleep(self._random.uniform(0, _PAUSE_S if answered else _DOWN_S))

    async def write_once(self, url: str) -> None:
        """Write until one write is acknowledged: by then every edit before it was judged."""
        acknowledged = len(self._ledger.acknowledged)
        async with aiohttp.ClientSession(url) as session, asyncio.timeout(_ANSWER_S):
            while len(self._ledger.acknowledged) == acknowledged:
                await self.write(session)

    async def write(self, session: aiohttp.ClientSession) -> bool:
        """One write; whether it was answered at all."""
        owned = self._random.choice(self.records)
        self._serial += 1
        token = f"{owned.slug} #{self._serial}"
        if owned.possible == {None}:
            body = record(owned.slug, token, routed=owned.routed)
            return await self._send(session, owned, "POST", token, json=body)
        if self._random.random() < 0.15:
            return await self._send(session, owned, "DELETE", None)
        return await self._send(session, owned, "PATCH", token, json={TOKEN: token})

    async def _send(
        self,
        session: aiohttp.ClientSession,
        owned: Owned,
        method: str,
        token: str | None,
        **body: object,
    ) -> bool:
        before = set(owned.possible)
        owned.possible.add(token)
        self._ledger.attempted.add((owned.environment_id, token))
        path = "/api/environments" + ("" if method == "POST" else f"/{owned.environment_id}")
        try:
            async with session.request(method, path, **body) as response:  # type: ignore[arg-type]
                status, text = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            # aiohttp sends a DELETE again that a kill cut off: that one may have arrived before.
            if isinstance(error, aiohttp.ClientConnectorError) and method != "DELETE":
                owned.possible = before
            else:
                self._ledger.unknown += 1
            return False
        self._answered(owned, before, method, token, status, text)
        return True

    def _answered(
        self,
        owned: Owned,
        before: set[str | None],
        method: str,
        token: str | None,
        status: int,
        text: str,
    ) -> None:
        if status in (200, 201, 204):
            owned.possible = {token}
            self._ledger.acknowledged.append((owned.environment_id, token))
        elif status == 404:
            # Of a DELETE it may be its own doing: see above.
            if None not in (owned.possible if method == "DELETE" else before):
                self._ledger.wrong.append(f"{owned.environment_id} is gone, had {before}")
            owned.possible = {None}
        elif '"id_taken"' in text:
            if before == {None}:
                self._ledger.wrong.append(f"{owned.environment_id} is there, was deleted")
            owned.possible = before - {None}
        else:
            owned.possible = before
            self._ledger.refused[json.loads(text)["code"]] += 1


def make_writers(count: int, ledger: Ledger, seed: int) -> list[Writer]:
    """Writers with records of their own."""
    return [Writer(f"writer-{n}", ledger, seed) for n in range(count)]


def owned_by(writers: Iterable[Writer]) -> list[Owned]:
    """All records of these writers."""
    return [owned for writer in writers for owned in writer.records]

"""The same poll again on one connection: the same answer, and every rule looked at again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from operator import is_

import pytest

from provider.api.repeats import Answers
from provider.auth.book import AccountBook
from registry.store import utc_now
from tests.api.bodies import routed
from tests.api.steps import create, document
from tests.daemons import Daemon, eventually

AT_ONCE = "/traefik/config?hold=0"
HEALTH = "/api/health"


class RawClient:
    """One connection, and requests as the very bytes that are given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, path: str, *headers: str, more: bytes = b"") -> tuple[str, bytes]:
        """Head and body of the answer."""
        self.send(path, *headers, more=more)
        return await self.answer()

    def send(self, path: str, *headers: str, more: bytes = b"", method: str = "GET") -> None:
        """One request in one piece."""
        lines = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: localhost", *headers))
        self._writer.write(f"{lines}\r\n\r\n".encode() + more)

    async def head(self, path: str) -> str:
        """The head alone, as it is asked for."""
        self.send(path, method="HEAD")
        return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def answer(self) -> tuple[str, bytes]:
        """The next answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.lower().startswith("content-length:")
        )
        return head, await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@pytest.fixture
async def client(daemon: Daemon) -> AsyncIterator[RawClient]:
    """A connection to the daemon."""
    opened = RawClient(*await asyncio.open_connection("127.0.0.1", daemon.port))
    yield opened
    opened.close()


def undated(head: str) -> list[str]:
    """The lines of a head without its date."""
    return [line for line in head.splitlines() if not line.startswith("Date:")]


async def polls(daemon: Daemon) -> int:
    """How many polls were answered."""
    answer = await daemon.call("GET", HEALTH)
    return int(answer.value["metrics"]["router"]["polls"])


async def test_every_answer_has_the_same_head_and_body(client: RawClient) -> None:
    first = await client.ask(AT_ONCE, "Accept-Encoding: gzip")
    for _ in range(5):
        head, body = await client.ask(AT_ONCE, "Accept-Encoding: gzip")
        assert (undated(head), body) == (undated(first[0]), first[1])


async def test_every_repeat_is_counted(daemon: Daemon, client: RawClient) -> None:
    before = await polls(daemon)
    for _ in range(4):
        await client.ask(AT_ONCE, "User-Agent: looker")
    answer = await daemon.call("GET", HEALTH)
    router = answer.value["metrics"]["router"]
    assert router["polls"] == before + 4
    (poller,) = [each for each in router["pollers"] if each["user_agent"] == "looker"]
    assert poller["polls"] == 4
    metrics = (await daemon.call("GET", "/metrics")).content.decode()
    assert 'route="/traefik/config",status="200"} 4.0' in metrics


async def test_a_new_document_is_given_at_once(daemon: Daemon, client: RawClient) -> None:
    for _ in range(3):
        await client.ask(AT_ONCE)
    await create(daemon, "dev", **routed("dev.test"))

    async def published() -> None:
        assert "dev.test" in json.dumps(await document(daemon))

    await eventually(published)
    assert b"dev.test" in (await client.ask(AT_ONCE))[1]


async def test_another_request_on_the_connection_gets_its_own_answer(client: RawClient) -> None:
    for _ in range(2):
        plain = await client.ask(AT_ONCE)
    assert b'"status": "ok"' in (await client.ask("/healthz"))[1]
    assert (await client.ask(AT_ONCE))[1] == plain[1]
    head, _ = await client.ask(AT_ONCE, "Accept-Encoding: gzip")
    assert "Content-Encoding: gzip" in head


async def test_requests_that_are_sent_at_once_are_answered_in_order(client: RawClient) -> None:
    for _ in range(2):
        await client.ask(AT_ONCE)
    client.send("/healthz")
    client.send(AT_ONCE)
    client.send("/healthz")
    found = [(await client.answer())[1] for _ in range(3)]
    assert [b'"status"' in body for body in found] == [True, False, True]


async def test_a_body_that_looks_like_a_poll_is_no_poll(daemon: Daemon, client: RawClient) -> None:
    request = f"GET {AT_ONCE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    await client.ask(AT_ONCE)
    before = await polls(daemon)
    await client.ask("/healthz", f"Content-Length: {len(request)}", more=request)
    assert await polls(daemon) == before


async def test_who_comes_through_a_proxy_is_refused_after_others_were_let_in(
    client: RawClient,
) -> None:
    for _ in range(2):
        await client.ask(AT_ONCE)
    head, _ = await client.ask(AT_ONCE, "X-Forwarded-For: 192.0.2.1")
    assert "403" in head.splitlines()[0]


async def test_the_first_account_closes_the_door_to_repeats(
    daemon: Daemon, client: RawClient
) -> None:
    for _ in range(2):
        assert "200 OK" in (await client.ask(AT_ONCE))[0]
    AccountBook(daemon.folders.data, utc_now).create_token("traefik", "edge")
    assert "401" in (await client.ask(AT_ONCE))[0].splitlines()[0]


async def test_a_token_that_is_revoked_is_refused_at_once(
    daemon: Daemon, client: RawClient
) -> None:
    book = AccountBook(daemon.folders.data, utc_now)
    secret, token = book.create_token("traefik", "edge")
    for _ in range(3):
        head, _ = await client.ask(AT_ONCE, f"Authorization: Bearer {secret}")
        assert "200 OK" in head
    book.revoke(token.id)
    head, _ = await client.ask(AT_ONCE, f"Authorization: Bearer {secret}")
    assert "401" in head.splitlines()[0]


async def test_a_held_poll_after_repeats_is_held(daemon: Daemon, client: RawClient) -> None:
    for _ in range(3):
        await client.ask(AT_ONCE)
    client.send("/traefik/config")

    async def is_held() -> None:
        answer = await daemon.call("GET", HEALTH)
        assert answer.value["metrics"]["router"]["polls_held"] == 1

    await eventually(is_held)
    await create(daemon, "dev", **routed("dev.test"))
    assert b"dev.test" in (await client.answer())[1]


async def test_who_asked_for_the_head_alone_was_given_no_document(client: RawClient) -> None:
    assert "200 OK" in await client.head("/traefik/config")
    async with asyncio.timeout(3):  # less than the daemon would hold it
        _, body = await client.ask("/traefik/config")
    assert b"http" in body


def test_those_who_ask_with_gzip_and_without_share_two_answers() -> None:
    answers, gzipped, plain = Answers(), b"gzip", b"plain"
    first = [answers.whole(b"1", gzipped), answers.whole(b"2", plain)]
    again = [answers.whole(b"1", gzipped), answers.whole(b"2", plain)]
    assert all(map(is_, first, again))
    assert answers.whole(b"3", plain) == b"3plain"
    assert answers.whole(b"1", gzipped) == b"1gzip"

"""One GET through a Traefik, against servers that answer well, oddly, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from provider.observe import probe as probing
from provider.observe.probe import BODY_BYTES_MAX, Door, Probed, probe
from tests.unit.provider.observe.pems import pem

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(conversation: Conversation, folder: Path | None = None) -> AsyncIterator[Door]:
    """A server on loopback; over TLS with a certificate in the folder, for `a.test`."""
    context = None
    if folder is not None:
        certificate, key = pem("a.test", "b.test")
        (folder / "a.crt").write_bytes(certificate)
        (folder / "a.key").write_bytes(key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "a.crt", folder / "a.key")
    made = await asyncio.start_server(conversation, "127.0.0.1", 0, ssl=context)
    try:
        yield Door("127.0.0.1", made.sockets[0].getsockname()[1], context is not None)
    finally:
        made.close()


def saying(text: bytes, heard: list[bytes]) -> Conversation:
    """Hears one request, says this, and hangs up."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(text)
        writer.close()

    return conversation


async def came_of(text: bytes) -> Probed:
    """What a probe makes of such an answer."""
    async with server(saying(text, [])) as door:
        return await probe(door, "a.test", "a.test", "/")


async def test_it_is_one_get_with_the_exact_path_and_host() -> None:
    heard: list[bytes] = []
    async with server(saying(b"HTTP/1.1 200 OK\r\n\r\nhello", heard)) as door:
        came = await probe(door, "a.test", "a.test:8443", '//a/../%2f"?q=%zz')
    assert heard[0].split(b"\r\n")[0] == b'GET //a/../%2f"?q=%zz HTTP/1.1'
    assert b"\r\nHost: a.test:8443\r\n" in heard[0]
    assert (came.status, came.body, came.error, came.certificate) == (200, b"hello", None, None)


async def test_a_redirect_is_reported_and_not_followed() -> None:
    heard: list[bytes] = []
    answer = b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n"
    async with server(saying(answer, heard)) as door:
        came = await probe(door, "a.test", "a.test", "/")
    assert (came.status, came.location, len(heard)) == (301, "http://127.0.0.1:1/", 1)


async def test_over_tls_the_certificate_is_reported_and_not_judged(tmp_path: Path) -> None:
    async with server(saying(b"HTTP/1.1 200 OK\r\n\r\n", []), tmp_path) as door:
        came = await probe(door, "other.test", "other.test", "/")
    assert came.status == 200
    assert came.certificate is not None
    assert came.certificate.names == ("a.test", "b.test")
    assert len(came.certificate.fingerprint) == 64


async def test_no_more_than_a_few_kibibytes_are_read() -> None:
    came = await came_of(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000)
    assert len(came.body) == BODY_BYTES_MAX


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"x" * 100_000],
)
async def test_nonsense_is_an_error_in_the_result(nonsense: bytes) -> None:
    came = await came_of(nonsense)
    assert came.status is None
    assert came.error


async def test_nobody_there_and_no_tls_there_are_errors_too() -> None:
    async def plain_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with server(plain_words) as door:
        plain = await probe(Door(door.host, door.port, True), "a.test", "a.test", "/")
    assert plain.error is not None
    assert "SSL" in plain.error
    gone = await probe(door, "a.test", "a.test", "/")
    assert (gone.status, gone.error is None) == (None, False)


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_S", 0.05)

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with server(silence) as door:
        came = await probe(door, "a.test", "a.test", "/")
    assert came.error == "no answer within 0.05 seconds"

"""One GET of `health.url`, of servers that mean well and of others."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provider.observe.health_probe import AT_ONCE, HealthProbe
from provider.observe.plumbing import ProbeFact
from registry.schema import Environment
from tests.api.bodies import stored

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[..., Awaitable[int]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers on loopback: text that is sent after each request, or a handler."""
    async with AsyncExitStack() as stack:

        async def start(answer: str | Handle, tls: ssl.SSLContext | None = None) -> int:
            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    if isinstance(answer, str):
                        await reader.readuntil(b"\r\n\r\n")
                        writer.write(answer.encode())
                    else:
                        await answer(reader, writer)
                except (OSError, EOFError):
                    pass
                finally:
                    writer.transport.abort() if writer.is_closing() else writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
            stack.callback(server.close)
            return int(server.sockets[0].getsockname()[1])

        yield start


def http(status: str = "200 OK", *headers: str, body: str = "fine") -> str:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", body)
    return "\r\n".join(lines)


def environment(url: str | None, name: str = "a", state: str = "active") -> Environment:
    health = {"status": "unknown", "url": url}
    return Environment.model_validate(stored(name, health=health, lifecycle={"state": state}))


def names(**known: str) -> Callable[[str], Awaitable[list[str]]]:
    """A resolver that knows these names, and addresses as they stand."""

    async def lookup(host: str) -> list[str]:
        if host in known:
            return known[host].split()
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            raise OSError("unknown") from None

    return lookup


async def looked(url: str, forbidden: int = 0, probe_s: float = 5.0, **more: object) -> ProbeFact:
    more = {"lookup": names(app="127.0.0.1"), **more}
    ours = {("localhost", forbidden): "Routebook itself"}
    probe = HealthProbe(ours, lambda: NOW, probe_s=probe_s, **more)  # type: ignore[arg-type]
    return (await probe.look([environment(url)]))["env-a"]


async def test_an_answer_of_200_is_good(serve: Serve) -> None:
    fact = await looked(f"http://app:{await serve(http())}/health")
    assert (fact.is_good, fact.status, fact.detail, fact.looked_at) == (True, 200, None, NOW)


@pytest.mark.parametrize("status", ["404 Not Found", "503 Busy", "302 Found", "500 Oh"])
async def test_other_answers_are_bad(serve: Serve, status: str) -> None:
    fact = await looked(f"http://app:{await serve(http(status))}/")
    assert (fact.is_good, fact.status) == (False, int(status[:3]))
    assert fact.detail == f"status {status[:3]}"


async def test_the_request_says_who_asks_and_nothing_of_us(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
        writer.write(http("200 OK", "Set-Cookie: a=b").encode())

    port = await serve(handle)
    assert (await looked(f"http://app:{port}/a?b=c")).is_good
    head = seen[0]
    assert head.startswith("get /a?b=c http/1.1")
    assert f"host: app:{port}\r\n" in head
    assert "user-agent: routebook-probe/1\r\n" in head
    assert "cookie" not in head
    assert "authorization" not in head


async def test_environments_without_a_url_or_a_life_are_not_asked() -> None:
    records = [
        environment(None, "b"),
        environment("http://app/", "c", "planned"),
        environment("http://app/", "d", "retired"),
    ]
    assert await HealthProbe({}, lambda: NOW, lookup=names()).look(records) == {}


async def test_redirects_on_the_same_host_are_followed(serve: Serve) -> None:
    last = await serve(http())
    first = await serve(http("301 Moved", f"Location: http://app:{last}/x"))
    assert (await looked(f"http://app:{first}/")).is_good


async def test_no_more_than_three_redirects_are_followed(serve: Serve) -> None:
    fact = await looked(f"http://app:{await serve(http('302 Found', 'Location: /again'))}/")
    assert (fact.is_good, fact.detail) == (False, "more than 3 redirects")


@pytest.mark.parametrize(
    "target", ["http://other/", "//other/", "http://169.254.169.254/latest", "http://127.0.0.1/"]
)
async def test_no_redirect_leads_to_another_host(serve: Serve, target: str) -> None:
    fact = await looked(f"http://app:{await serve(http('302 Found', f'Location: {target}'))}/")
    assert fact.is_good is False
    assert "another host" in (fact.detail or "")


async def test_no_redirect_leads_to_another_scheme(serve: Serve) -> None:
    fact = await looked(f"http://app:{await serve(http('302 F', 'Location: file:///etc/hosts'))}/")
    assert (fact.is_good, fact.detail) == (False, "redirects from http to file")


async def test_a_redirect_to_ourselves_is_not_followed(serve: Serve) -> None:
    own = await serve(http())
    first = await serve(http("302 Found", f"Location: http://app:{own}/"))
    fact = await looked(f"http://app:{first}/", forbidden=own)
    assert fact.is_good is None
    assert "Routebook itself" in (fact.detail or "")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("meta", "169.254.169.254"),
        ("mapped", "::ffff:169.254.169.254"),
        ("2852039166", "169.254.169.254"),
        ("0xa9fea9fe", "169.254.169.254"),
        ("local", "fe80::1"),
    ],
)
async def test_what_is_never_asked_is_not_looked_at(host: str, address: str) -> None:
    fact = await looked(f"http://{host}:1/", lookup=names(**{host: address}))
    assert (fact.is_good, fact.status) == (None, None)
    assert "never asked" in (fact.detail or "")


async def test_of_several_addresses_the_allowed_ones_are_asked(serve: Serve) -> None:
    lookup = names(app="fe80::1 127.0.0.2 127.0.0.1")
    assert (await looked(f"http://app:{await serve(http())}/", lookup=lookup)).is_good


async def test_public_only_leaves_loopback_alone(serve: Serve) -> None:
    fact = await looked(f"http://app:{await serve(http())}/", public_only=True)
    assert fact.is_good is None


async def test_a_name_that_changes_between_check_and_connection_leads_nowhere_else(
    serve: Serve,
) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    async def rebinding(host: str) -> list[str]:
        asked.append(host)
        return next(answers)

    port = await serve(http("302 Found", "Location: /again"))
    fact = await looked(f"http://app:{port}/", lookup=rebinding)
    assert asked == ["app", "app"]  # once a request, and the second is refused
    assert fact.is_good is None
    assert "169.254.169.254" in (fact.detail or "")


async def test_a_name_that_does_not_resolve_is_bad() -> None:
    fact = await looked("http://nowhere.test/")
    assert (fact.is_good, fact.detail) == (False, "the name does not resolve")


async def test_a_port_where_nobody_listens_is_bad(unused_tcp_port: int) -> None:
    fact = await looked(f"http://app:{unused_tcp_port}/")
    assert fact.is_good is False
    assert "cannot connect" in (fact.detail or "")


async def test_of_a_huge_body_64_kib_are_read(serve: Serve) -> None:
    sent = 0
    cut = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65536)
                sent += 65536
                await writer.drain()
        finally:
            cut.set()

    assert (await looked(f"http://app:{await serve(endless)}/")).is_good
    await cut.wait()
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\nx"])
async def test_a_server_that_takes_its_time_gets_no_more_than_its_time(
    serve: Serve, beginning: bytes
) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(beginning)
        while beginning:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
        await asyncio.Event().wait()

    fact = await looked(f"http://app:{await serve(drip)}/", probe_s=0.3)
    assert (fact.is_good, fact.detail) == (False, "no whole answer within 0.3 seconds")


async def test_a_server_that_closes_at_once_is_bad(serve: Serve) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    fact = await looked(f"http://app:{await serve(close)}/")
    assert fact.is_good is False
    assert "closed" in (fact.detail or "")


@pytest.mark.parametrize(
    "answer",
    [
        "220 mail.test ESMTP\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: " + "y" * 100_000 + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        "HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
    ],
)
async def test_what_is_no_whole_answer_of_http_is_bad(serve: Serve, answer: str) -> None:
    fact = await looked(f"http://app:{await serve(answer)}/?token=secret")
    assert fact.is_good is False
    assert "secret" not in (fact.detail or "")


async def test_a_certificate_that_is_trusted_is_good(serve: Serve, tmp_path: Path) -> None:
    server, client = tls_for("app", tmp_path)
    assert (await looked(f"https://app:{await serve(http(), server)}/", tls=client)).is_good


async def test_a_certificate_of_another_name_or_an_unknown_authority_is_bad(
    serve: Serve, tmp_path: Path
) -> None:
    server, client = tls_for("other", tmp_path)
    port = await serve(http(), server)
    unknown = await looked(f"https://app:{port}/")
    mismatched = await looked(f"https://app:{port}/", tls=client)
    assert (unknown.is_good, mismatched.is_good) == (False, False)
    assert "its certificate: self-signed certificate" in (unknown.detail or "")
    assert "its certificate: Hostname mismatch" in (mismatched.detail or "")


async def test_plain_http_where_tls_is_asked_for_is_bad(serve: Serve) -> None:
    assert (await looked(f"https://app:{await serve(http())}/")).is_good is False


async def test_ten_are_asked_at_once(serve: Serve) -> None:
    waiting, most = 0, 0
    full = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting, most
        await reader.readuntil(b"\r\n\r\n")
        waiting += 1
        most = max(most, waiting)
        if waiting == AT_ONCE:
            full.set()
        await full.wait()
        writer.write(http().encode())
        waiting -= 1

    port = await serve(wait)
    records = [environment(f"http://app:{port}/", f"e{number}") for number in range(2 * AT_ONCE)]
    facts = await HealthProbe({}, lambda: NOW, lookup=names(app="127.0.0.1")).look(records)
    assert all(fact.is_good for fact in facts.values())
    assert len(facts) == 2 * AT_ONCE
    assert most == AT_ONCE


def tls_for(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a self-signed certificate for this name, and a client's for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made - timedelta(days=1))
        .not_valid_after(made + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "pair.pem"
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))

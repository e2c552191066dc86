"""Open mode beyond its headers: what ends it, and that nobody reaches us through ourselves."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.access.callers import bearer, book_of, write_accounts
from tests.api.steps import ALL, pointers, refused, until_problem
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders
from tests.safety.conftest import Log
from tests.safety.records import record

FOREIGN = [
    {"Host": "evil.test"},
    {"X-Forwarded-For": "192.0.2.7"},
    {"x-forwarded-host": "routebook.test"},
    {"X-Forwarded-Server": "traefik"},
    {"Forwarded": "for=192.0.2.7"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_who_is_not_plainly_local_writes_nothing(
    daemon: Daemon, headers: dict[str, str]
) -> None:
    await daemon.call("POST", ALL, json=record("dev"))
    before = daemon.folders.catalogue.read_bytes()
    for method, path, body in (
        ("POST", ALL, record("new")),
        ("PATCH", f"{ALL}/dev", {"name": "x"}),
        ("DELETE", f"{ALL}/dev", None),
        ("GET", "/traefik/config", None),
        ("GET", "/api/health", None),
    ):
        answer = await daemon.call(method, path, json=body, headers=headers)
        refused(answer, 403, "host_not_allowed")
    assert daemon.folders.catalogue.read_bytes() == before


async def raw_status(daemon: Daemon, *lines: str) -> bytes:
    """The status of a request with exactly these lines."""
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    return status


@pytest.mark.parametrize(
    ("line", "hosts", "status"),
    [
        ("GET /healthz HTTP/1.1", ["localhost"], b"200"),
        ("GET /healthz HTTP/1.1", [""], b"403"),
        ("GET /healthz HTTP/1.0", [], b"403"),
        ("GET /healthz HTTP/1.1", ["localhost", "evil.test"], b"400"),
        ("GET /healthz HTTP/1.1", ["evil.test", "localhost"], b"400"),
        ("GET /healthz HTTP/1.1", ["[::1].evil.test"], b"403"),
        ("GET /healthz HTTP/1.1", ["[::1]evil.test"], b"403"),
        ("GET /healthz HTTP/1.1", ["127.0.0.1:80:evil.test"], b"403"),
        ("GET /healthz HTTP/1.1", ["localhost."], b"403"),
        ("GET /healthz HTTP/1.1", ["2130706433"], b"403"),
        ("GET /healthz HTTP/1.1", ["0x7f.1"], b"403"),
    ],
)
async def test_the_host_line_is_read_to_the_letter(
    daemon: Daemon, line: str, hosts: list[str], status: bytes
) -> None:
    assert await raw_status(daemon, line, *(f"Host: {host}" for host in hosts)) == status


ALSO_US = ["127.0.0.1", "localhost", "LOCALHOST", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("name", [*ALSO_US, "0.0.0.0", "[::]"])
async def test_no_route_leads_back_to_us(daemon: Daemon, name: str) -> None:
    upstream = {"router": {"service_url": f"http://{name}:{daemon.port}/api"}}
    answer = await daemon.call("POST", ALL, json=record("loop", metadata=upstream))
    refused(answer, 422, "forbidden_upstream")
    servers = {"router": {"server_urls": ["http://10.0.0.1", f"http://{name}:{daemon.port}"]}}
    answer = await daemon.call("POST", ALL, json=record("loop", metadata=servers))
    refused(answer, 422, "forbidden_upstream")


async def test_the_pointer_is_the_one_of_the_url_however_its_host_is_written(
    daemon: Daemon,
) -> None:
    upstream = {"router": {"service_url": f"http://[::ffff:127.0.0.1]:{daemon.port}"}}
    answer = await daemon.call("POST", ALL, json=record("loop", metadata=upstream))
    problem = refused(answer, 422, "forbidden_upstream")
    assert pointers(problem) == ["/metadata/router/service_url"]


async def test_a_hand_edit_leads_nobody_back_to_us_either(daemon: Daemon) -> None:
    port = [{"name": "web", "port": daemon.port}]
    by_port = record("loop", ports=port, host={"hostname": "x.test", "ip": "127.0.0.1"})
    daemon.folders.hand_write({**by_port, "metadata": {"router": {"port": "web"}}})
    problem = await until_problem(daemon, "forbidden_upstream", "env-loop")
    assert "Routebook itself" in problem["detail"]
    document = await daemon.call("GET", "/traefik/config?hold=0")
    assert "routers" not in document.value["http"]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
async def test_no_route_leads_back_to_a_listener_on_all_addresses(
    folders: Folders, start_daemon: StartDaemon, name: str
) -> None:
    secret, _ = book_of(folders.data).create_token("operator", "o")
    daemon = await start_daemon("--listen=0.0.0.0:0")
    upstream = {"router": {"service_url": f"http://{name}:{daemon.port}"}}
    answer = await daemon.call(
        "POST", ALL, json=record("loop", metadata=upstream), headers=bearer(secret)
    )
    refused(answer, 422, "forbidden_upstream")


async def test_the_first_account_ends_it_at_once(daemon: Daemon, folders: Folders) -> None:
    assert (await daemon.call("GET", ALL)).status == 200
    write_accounts(folders.data, "operator@x.test")
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")
    refused(await daemon.call("POST", ALL, json=record("dev")), 401, "unauthenticated")
    assert folders.stored() == []


async def test_the_first_token_ends_it_at_once(daemon: Daemon, folders: Folders) -> None:
    secret, _ = book_of(folders.data).create_token("traefik", "traefik")
    refused(await daemon.call("GET", "/traefik/config"), 401, "unauthenticated")
    answer = await daemon.call("GET", "/traefik/config?hold=0", headers=bearer(secret))
    assert answer.status == 200


async def test_a_disabled_account_keeps_it_closed(daemon: Daemon, folders: Folders) -> None:
    write_accounts(folders.data, "operator@x.test", disabled=True)
    refused(await daemon.call("GET", ALL), 401, "unauthenticated")


async def test_with_accounts_a_token_is_what_counts_and_no_header_of_a_proxy(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    secret, _ = book_of(folders.data).create_token("viewer", "v")
    daemon = await start_daemon()
    for headers in FOREIGN:
        answer = await daemon.call("GET", ALL, headers={**headers, **bearer(secret)})
        assert answer.status == 200
        refused(await daemon.call("GET", ALL, headers=headers), 401, "unauthenticated")


async def test_it_is_said_loudly_at_the_start(start_daemon: StartDaemon, log: Log) -> None:
    await start_daemon()
    said = [line for line in log.lines if "every local caller may read and write" in line]
    assert len(said) == 1
    assert "level=warning" in said[0]


async def test_a_body_that_came_after_the_first_token_writes_nothing(daemon: Daemon) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    body = json.dumps(record("slow")).encode()
    lines = (
        f"POST {ALL} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
        f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close", "", "",
    )  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")  # it was let in
    book_of(daemon.folders.data).create_token("operator", "first")
    writer.write(body)
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert "slow" not in daemon.folders.catalogue.read_text()

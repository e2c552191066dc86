"""A record that is odd but not forbidden: Traefik goes on taking what changes beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking import eventually
from tests.e2e.records import body, pair, put, record, serial
from tests.e2e.stage import stage_in

pytestmark = [pytest.mark.traefik, pytest.mark.xdist_group("e2e-odd-records")]

LONGEST_HOST = ".".join(["h" * 63] * 3 + ["h" * 56, "test"])
ROUTERS: dict[str, dict[str, Any]] = {
    "a hundred hosts of the greatest length": {
        "hostnames": [
            *(f"{number:03}{LONGEST_HOST[3:]}" for number in range(50)),
            *(f"*.{number:03}{LONGEST_HOST[5:]}" for number in range(50)),
        ]
    },
    "a path of two thousand characters": {"path_prefix": "/" + "p" * 1999},
    "a path like a number": {"path_prefix": "/~1.5e3"},
    "hosts like other values": {"hostnames": ["0x10", "1e3", "true", "null", "0"]},
    "middlewares that nobody defines": {"middlewares": [f"m{i}@file" for i in range(100)]},
    "a middleware with a long name": {"middlewares": ["m" * 1990 + "@file"]},
    "a middleware of an unknown provider": {"middlewares": ["auth@nowhere"]},
    "entrypoints that traefik has not": {"entrypoints": ["nowhere", "elsewhere"]},
    "entrypoints in capitals": {"entrypoints": ["WEB", "web"]},
    "a hundred entrypoints with long names": {"entrypoints": [f"{i:064}" for i in range(100)]},
    "a hundred servers": {"server_urls": [f"http://127.0.0.1:{9000 + i}" for i in range(100)]},
    "an upstream with an empty label": {"service_url": "http://a..b:9000"},
    "an upstream with a label too long": {"service_url": f"http://{'a' * 64}:9000"},
    "an upstream with an address that is none": {"service_url": "http://[::1::2]:9000"},
    "an upstream like an address": {"service_url": "http://999.999.999.999:9000"},
    "a certificate that is a folder": {"tls": {"cert_file": "folder", "key_file": "folder"}},
    "a certificate that is a loop": {"tls": {"cert_file": "loop", "key_file": "loop"}},
    "a certificate with too long a name": {"tls": {"cert_file": "c" * 300, "key_file": "k"}},
    "a certificate on an unknown curve": {"tls": {"cert_file": "odd.crt", "key_file": "odd.key"}},
}
RECORDS: dict[str, dict[str, Any]] = {
    "the longest id": {"environment_id": "x" * 80},
    "an id like the marker": {"environment_id": "routebook-0000000000000000"},
    "text that YAML reads in its own way": {"name": "\U0001f680 \u2028 \u2551 \x7f \\/ ~ !!x &a"},
}
DEADLINE_S = 40.0
# A certificate on secp112r1, which `cryptography` does not know.
UNKNOWN_CURVE = b"""\
-----BEGIN CERTIFICATE-----
MIIBRjCCAQ+gAwIBAgIUcQLrBLhJsgzoLeuLvC1NiT/D3y4wCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIb2RkLnRlc3QwHhcNMjYxMTIzMDU0MzM2WhcNMjYxMjIzMDU0
MzM2WjATMREwDwYDVQQDDAhvZGQudGVzdDAyMBAGByqGSM49AgEGBSuBBAAGAx4A
BEAlhjWuSL0/D8bMx3cDR8K9/F1B9qIZtYQXadGjaDBmMB0GA1UdDgQWBBQiEb3v
fKDsheVBZpHlSuTfE9L1gzAfBgNVHSMEGDAWgBQiEb3vfKDsheVBZpHlSuTfE9L1
gzAPBgNVHRMBAf8EBTADAQH/MBMGA1UdEQQMMAqCCG9kZC50ZXN0MAoGCCqGSM49
BAMCAyUAMCICDwCtWlmRCV9pu5uOee93fQIPAJ/pTcPXD04czdnVmEf3
-----END CERTIFICATE-----
"""


@pytest.mark.parametrize("case", [*ROUTERS, *RECORDS])
async def test_an_odd_record_stops_no_change_of_another(tmp_path: Path, case: str) -> None:
    odd = record("odd", service_url="http://127.0.0.1:9") | RECORDS.get(case, {})
    odd["metadata"]["router"].update(ROUTERS.get(case, {}))
    bystander = record("bystander", service_url="http://127.0.0.1:9")
    async with stage_in(tmp_path, records=(bystander,)) as stage:
        _odd_files(stage.certs)

        def edit(environments: list[Any]) -> None:
            environments.append(odd)
            environments[0]["metadata"]["router"]["service_url"] = stage.upstreams.green

        stage.edit(edit)

        async def changed() -> None:
            assert (await stage.http("bystander.test")).upstream == "green"

        await eventually(changed, DEADLINE_S)


async def test_a_daemon_starts_with_an_odd_record_and_routes_the_others(tmp_path: Path) -> None:
    odd = record("odd", service_url="http://a..b:9000")
    async with stage_in(tmp_path, records=(odd,)) as stage:
        await stage.expose("beside-odd")

        assert (await stage.http("beside-odd.test")).upstream == "blue"


async def test_an_upstream_that_is_no_host_name_is_refused_by_the_api(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as stage:
        status, problem = await stage.write("POST", "", body("odd", service_url="http://a..b:9000"))

        assert status == 422
        assert problem["errors"][0]["pointer"] == "/metadata/router/service_url"


async def test_a_data_folder_with_any_name_serves_its_routes(tmp_path: Path) -> None:
    async with (
        stage_in(tmp_path / "d\u00e4ta \U0001f680") as stage,
    ):
        certificate, key = pair("named.test")
        put(stage.certs / "named.crt", certificate)
        put(stage.certs / "named.key", key)
        tls = {"cert_file": "named.crt", "key_file": "named.key"}
        await stage.expose("named", entrypoints=["websecure"], tls=tls)

        async def presented() -> None:
            """A handshake may come before the swap, though the API shows the new document."""
            assert serial((await stage.https("named.test")).certificate) == serial(certificate)

        await eventually(presented, DEADLINE_S)


def _odd_files(certs: Path) -> None:
    """What the odd certificate names stand for."""
    (certs / "folder").mkdir()
    (certs / "loop").symlink_to("loop")
    (certs / "odd.crt").write_bytes(UNKNOWN_CURVE)
    (certs / "odd.key").write_bytes(pair("odd.test")[1])

"""Generated records with odd router sections, from a seed: the same every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tests.fuzz import values

Value = TypeVar("Value")
_WRONG = 0.02
_ODD = 0.35
_OMITTED = 0.25


class Sections:
    """Records that differ from each other; each field is plain, odd, or now and then wrong."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._serial = 0

    def records(self, count: int) -> Iterator[dict[str, Any]]:
        """So many records."""
        for _ in range(count):
            self._serial += 1
            yield self._record(self._serial)

    def _record(self, serial: int) -> dict[str, Any]:
        name = f"env-{serial}"
        odd_id = self._random.choice(values.IDS)
        hostname = self._one(f"host-{serial}.test", values.HOSTS, values.INJECTIONS)
        return {
            "environment_id": f"{odd_id}-{serial}"[-80:] if self._chance(0.1) else name,
            "project_id": "lab",
            "slug": f"s-{serial}",
            "name": "generated",
            "host": {
                "hostname": hostname.removeprefix("*.") or "x.test",
                "ip": self._one(None, values.ADDRESSES, values.WRONG_ADDRESSES),
            },
            "ports": [self._port(n) for n in range(self._random.randint(1, 3))],
            "owner": {"name": "Ada Byron"},
            "lifecycle": {"state": "active" if self._chance(0.95) else "planned"},
            "health": {"status": "unknown"},
            "metadata": {"router": self._router(serial)},
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }

    def _port(self, index: int) -> dict[str, Any]:
        return {
            "name": f"p{index}",
            "port": self._random.choice((1, 80, 443, 9000, 65535)),
            "protocol": self._one("http", values.PROTOCOLS, ("udp", "grpc")),
            "url": self._one(None, values.PORT_URLS, values.WRONG_PORT_URLS),
        }

    def _router(self, serial: int) -> dict[str, Any]:
        def hosts() -> list[str]:
            return self._list(self._host(serial), values.HOSTS, values.INJECTIONS)

        fields: dict[str, Callable[[], Any]] = {
            "hostnames": hosts,
            "entrypoints": self._entrypoints,
            "service_url": lambda: self._one(
                "http://10.0.0.1:9000", values.UPSTREAMS, values.WRONG_UPSTREAMS
            ),
            "server_urls": self._server_urls,
            "port": lambda: self._one("p0", ("p0",), ("nope", "", "p0\n")),
            "path_prefix": lambda: self._one("/app", values.PATHS, values.WRONG_PATHS),
            "strip_prefix": lambda: self._chance(0.5),
            "middlewares": lambda: self._list(
                "auth@file", values.MIDDLEWARES, values.WRONG_MIDDLEWARES
            ),
            "pass_host_header": lambda: self._chance(0.5),
            "tls": lambda: self._tls(serial),
        }
        given = {name: make() for name, make in fields.items() if not self._chance(_OMITTED)}
        if given.get("server_urls") and not self._chance(0.2):
            given.pop("service_url", None)  # else their base paths seldom agree
        if not {"service_url", "server_urls"} & given.keys():
            given.setdefault("port", "p0")
        if self._chance(0.05):
            given[self._random.choice(list(fields))] = None
        if self._chance(_WRONG):
            given[self._random.choice([*fields, "unknown"])] = self._random.choice(
                (0, 1.5, True, "x", [], {}, [None], {"x": 1}, [[]], "\ud800")
            )
        return given

    def _host(self, serial: int) -> str:
        return self._random.choice(
            ("h{}.test", "*.w{}.test", "H{}.Test.", "b\u00fc{}.test")
        ).format(serial)

    def _entrypoints(self) -> list[str]:
        if self._chance(0.02):  # as many as may be, each as long as may be
            return [f"e{n}".ljust(64, "x") for n in range(self._random.randint(2, 100))]
        plain = self._random.choice(("web", "websecure"))
        return self._list(plain, values.ENTRYPOINTS, values.WRONG_ENTRYPOINTS)

    def _server_urls(self) -> list[str]:
        if self._chance(0.7):
            return [f"http://10.0.0.{n}:9000" for n in range(self._random.choice((0, 1, 2, 100)))]
        return self._list("http://10.0.0.1:9000", values.UPSTREAMS, values.WRONG_UPSTREAMS)

    def _tls(self, serial: int) -> dict[str, Any]:
        if self._chance(0.3):
            return {}
        domains = self._list(self._host(serial), values.HOSTS, values.INJECTIONS)
        tls: dict[str, Any] = {"domains": domains}
        if self._chance(0.3):
            tls |= {"cert_file": "a.crt", "key_file": "a.key"}
        if self._chance(_WRONG):
            tls |= {"cert_file": self._random.choice(("../a", "/a", "", ".a", "a\0", "a\\b"))}
        return tls

    def _list(self, plain: str, odd: Sequence[str], wrong: Sequence[str]) -> list[str]:
        length = self._random.choice((0, 1, 1, 1, 2, 3)) if self._chance(0.97) else 100
        return [self._one(plain, odd, wrong if length < 100 else ()) for _ in range(length)]

    def _one(self, plain: Value, odd: Sequence[Value], wrong: Sequence[Value]) -> Value:
        if wrong and self._chance(_WRONG):
            return self._random.choice(wrong)
        return self._random.choice(odd) if self._chance(_ODD) else plain

    def _chance(self, of: float) -> bool:
        return self._random.random() < of

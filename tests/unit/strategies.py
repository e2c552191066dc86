"""Hypothesis strategies: whole records of every shape, and small catalogues that collide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from provider.render.fragment import OwnCertificate, Pair
from registry.schema import Environment
from tests.records import NEW, OLD, merged, record

HOSTS = ("a.test", "B.test.", "x.a.test", "*.a.test", "*.test", "192.0.2.7", "bücher.test")
PATHS = (None, "/", "/app", "/app/", "//app//x", "/application")
ENTRYPOINTS = (None, [], ["web"], ["websecure"], ["websecure", "web"], ["internal", "web", "tls"])
TLS_ENTRYPOINTS = frozenset({"websecure", "tls"})
UPSTREAMS: tuple[dict[str, Any], ...] = (
    {"service_url": "http://10.0.0.1:9000"},
    {"service_url": "https://10.0.0.1/base"},
    {"server_urls": ["http://10.0.0.2:9000", "http://10.0.0.3:9000/"]},
    {"port": "web"},
    {"service_url": "http://169.254.0.1:9000"},
)
MIDDLEWARES = (None, [], ["auth"], ["auth@docker", "auth", "limit.2"])
TLS: tuple[dict[str, Any] | None, ...] = (
    None,
    {},
    {"domains": ["*.a.test"]},
    {"cert_file": "a.crt", "key_file": "a.key"},
)
STATES = ("active", "active", "active", "maintenance", "planned", "retired")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
titles = texts.filter(lambda text: text.strip() != "" and any(not c.isspace() for c in text))
instants = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
).map(lambda instant: instant.isoformat())
slugs = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)  # fmt: skip


def routers(hosts: Sequence[str] = HOSTS) -> st.SearchStrategy[dict[str, Any]]:
    """`metadata.router`, of few values, so that two often claim the same."""
    return st.builds(
        lambda upstream, **fields: {**upstream, **fields},
        st.sampled_from(UPSTREAMS),
        hostnames=st.none() | st.lists(st.sampled_from(hosts), max_size=4),
        path_prefix=st.sampled_from(PATHS),
        strip_prefix=st.sampled_from((None, True, False)),
        entrypoints=st.sampled_from(ENTRYPOINTS),
        middlewares=st.sampled_from(MIDDLEWARES),
        pass_host_header=st.sampled_from((None, True, False)),
        tls=st.sampled_from(TLS),
    )


def routed_records(slug: str, hosts: Sequence[str] = HOSTS) -> st.SearchStrategy[dict[str, Any]]:
    """A record with a router; its state, age and hosts vary."""
    return st.builds(
        lambda router, state, created_at, hostname: record(
            slug=slug,
            host={"hostname": hostname, "ip": "10.0.0.9"},
            ports=[{"name": "web", "port": 9000, "protocol": "http"}],
            lifecycle={"state": state},
            metadata={"router": router},
            created_at=created_at,
        ),
        routers(hosts),
        st.sampled_from(STATES),
        st.sampled_from((OLD, NEW, None)),
        st.sampled_from([host for host in hosts if not host.startswith("*")]),
    )


@st.composite
def catalogues(draw: st.DrawFn, most: int = 5) -> list[Environment]:
    """Environments with names of their own, which claim hosts of each other."""
    count = draw(st.integers(0, most))
    records = [draw(routed_records(f"e{index}")) for index in range(count)]
    return [Environment.model_validate(each) for each in records]


@st.composite
def certificates(draw: st.DrawFn, environments: Sequence[Environment]) -> dict[str, OwnCertificate]:
    """What became of the pairs that the environments name."""
    found = {}
    for environment in environments:
        if environment.router and environment.router.tls and environment.router.tls.cert_file:
            found[environment.environment_id] = draw(own_certificates)
    return found


pairs = st.builds(
    lambda number, names, days: Pair(
        fingerprint=f"{number:04x}",
        names=names,
        not_after=datetime(2026, 12, days, tzinfo=UTC),
        cert_path=f"/certs/.live/{number:04x}/cert.pem",
        key_path=f"/certs/.live/{number:04x}/key.pem",
    ),
    st.integers(0, 20),
    st.sampled_from((("a.test",), ("*.a.test", "a.test"), ("b.test",))),
    st.integers(1, 28),
)
own_certificates = st.builds(
    OwnCertificate, st.none() | pairs, st.sampled_from((None, "a.key is not there"))
)


@st.composite
def whole_records(draw: st.DrawFn) -> dict[str, Any]:
    """A record with every field drawn, free metadata included."""
    notes = st.none() | texts
    router = draw(st.none() | routers())
    free = draw(st.dictionaries(texts.filter(lambda key: key != "router"), json_values, max_size=3))
    changes = {
        "slug": draw(slugs),
        "name": draw(titles),
        "description": draw(notes),
        "host": {"provider": draw(notes), "ip": draw(st.none() | st.ip_addresses().map(plain))},
        "ports": [{"name": "web", "port": draw(st.integers(1, 65535)), "description": draw(notes)}],
        "owner": {"name": draw(titles), "email": draw(notes), "role": draw(notes)},
        "lifecycle": {"state": draw(st.sampled_from(STATES)), "notes": draw(notes)},
        "health": {"status": "degraded", "checked_at": draw(st.none() | instants)},
        "metadata": free if router is None else {**free, "router": router},
        "created_at": draw(instants),
        "updated_at": draw(instants),
    }
    return merged(record(), {**changes, "environment_id": f"env-{changes['slug']}"})


def plain(address: Any) -> str:
    """An address as people write it, without a zone."""
    return str(address).partition("%")[0]

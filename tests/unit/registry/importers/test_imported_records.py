"""Whatever a compose file says, the records made of it are ones that the catalogue takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.importers.compose import from_compose
from registry.importers.imported import Unusable, claims_of, completed

WORDS: dict[str, st.SearchStrategy[str]] = {
    "slug": st.sampled_from(["shop", "Shop!", "db"]),
    "name": st.sampled_from(["Shop", " ", "42"]),
    "hostnames": st.sampled_from(["a.test", "a.test, *.b.test", "http://a.test", "*", ","]),
    "entrypoints": st.sampled_from(["web", "web,websecure", "traefik"]),
    "path_prefix": st.sampled_from(["/x", "x", "/a b", "/x/../y"]),
    "strip_prefix": st.sampled_from(["true", "false", ""]),
    "middlewares": st.sampled_from(["auth", "auth@file,gzip", "x@http"]),
    "service_url": st.sampled_from(["http://a:1", "ftp://a", "http://u:p@a"]),
    "port": st.sampled_from(["80", "443", "9"]),
    "tls.cert_file": st.sampled_from(["a.crt", "../a"]),
    "tls.key_file": st.just("a.key"),
    "owner.name": st.sampled_from(["Ines", ""]),
    "owner.email": st.just("i@a.test"),
    "health.url": st.sampled_from(["https://a.test/health", "a.test"]),
    "metadata.team.name": st.text(max_size=5),
    "metadata.dns_zones": st.just("a.test,b.test"),
}
PORTS = st.sampled_from(
    [
        "8080:80",
        "127.0.0.1:8443:443",
        "[::1]:80:80/udp",
        "80",
        9,
        "3000-3002:3000-3002",
        {"target": 80, "published": "8080", "name": "web_ui", "app_protocol": "http"},
        {"target": 443},
    ]
)
SERVICE = st.fixed_dictionaries(
    {
        "labels": st.fixed_dictionaries({}, optional=WORDS).map(
            lambda words: {f"routebook.{word}": value for word, value in words.items()}
        )
    },
    optional={
        "ports": st.lists(PORTS, max_size=3),
        "expose": st.lists(st.sampled_from(["3000", 3001, "53/udp"]), max_size=2),
        "x-routebook": st.just({"lifecycle": {"notes": "by hand"}}),
        "network_mode": st.just("host"),
    },
)
NAMES = st.text("aB1._-", min_size=1, max_size=6)


@given(st.dictionaries(NAMES, SERVICE, max_size=4))
def test_every_record_of_a_compose_file_is_valid_and_every_sentence_has_its_place(
    services: dict[str, Any],
) -> None:
    imported = from_compose(
        {"services": services}, project_id="shop", host="dev1.test", stack="shop"
    )
    slugs = [completed(record).slug for record in imported.records]
    assert len(set(slugs)) == len(slugs)
    for sentence in imported.left_out:
        assert sentence.startswith(tuple(f"services.{name}" for name in services))


RECORD = {
    "project_id": "shop",
    "slug": "web",
    "name": "Web",
    "host": {"hostname": "dev1.test"},
    "metadata": {"router": {"service_url": "http://a:1", "path_prefix": "/x/"}},
}


def test_a_record_is_judged_with_the_defaults_of_creating() -> None:
    environment = completed(RECORD)
    assert environment.health.status == "unknown"
    assert environment.lifecycle.state == "planned"
    assert completed({**RECORD, "lifecycle": {"notes": "n"}}).lifecycle.state == "planned"


def test_an_unusable_record_says_where_and_why() -> None:
    with pytest.raises(Unusable, match=r"^/host/hostname: .*no port, path or scheme$"):
        completed({**RECORD, "host": {"hostname": "http://a"}})


def test_a_record_claims_each_host_and_path_on_each_entrypoint() -> None:
    assert claims_of(completed(RECORD)) == {("dev1.test", "/x", "websecure")}
    router = {"service_url": "http://a:1", "hostnames": ["A.test", "*.b.test"]}
    router_on_two = {**router, "entrypoints": ["web", "websecure"]}
    assert claims_of(completed({**RECORD, "metadata": {"router": router_on_two}})) == {
        (host, "/", entrypoint)
        for host in ("a.test", "*.b.test")
        for entrypoint in ("web", "websecure")
    }
    assert claims_of(completed({**RECORD, "metadata": {}})) == frozenset()

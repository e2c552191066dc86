"""Routers of a Traefik file, one by one: carried with a remark, or left out and said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.registry.importers.traefik_files import (
    TWO_BACKENDS,
    balancer,
    file_with,
    imported,
    one_server,
    router_with,
)


@dataclass(frozen=True)
class Carried:
    """A situation, what of the router section it becomes, and words of each remark."""

    name: str
    router: dict[str, Any]
    section: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    service: Any = None


RAW_PREFIX = "also took /appxyz"
STAY = "http.middlewares: must stay in Traefik's file, since records name them: "
APP = "Host(`app.test`) && (Path(`/app`) || PathPrefix(`/app/`))"


CARRIED = [
    Carried("several hosts", router_with("Host(`a.test`) || host(`B.test.`)"),
            {"hostnames": ["a.test", "b.test"]}),
    Carried("several arguments of v2", router_with("Host(`a.test`, `b.test`)"),
            {"hostnames": ["a.test", "b.test"]}),
    Carried("a wildcard", router_with("Host(`*.app.test`)"), {"hostnames": ["*.app.test"]}),
    *(
        Carried(f"the wildcard {regexp}", router_with(f"HostRegexp(`{regexp}`)"),
                {"hostnames": ["*.x.test"]})
        for regexp in (r"^[^.]+\.x\.test\.?$", r"^[^.]+\.x\.test$", r"^[a-z0-9-]+\.x\.test$")
    ),
    Carried("a path and below", router_with(APP), {"path_prefix": "/app", "strip_prefix": False}),
    Carried("a raw prefix", router_with("Host(`app.test`) && PathPrefix(`/app`)"),
            {"path_prefix": "/app", "strip_prefix": False}, [RAW_PREFIX]),
    Carried("a prefix with a slash", router_with("Host(`app.test`) && PathPrefix(`/app/`)"),
            {"path_prefix": "/app"}, ["the record also takes /app itself"]),
    Carried("the root prefix", router_with("Host(`app.test`) && PathPrefix(`/`)"),
            {"path_prefix": None}),
    Carried("a strip of the path", router_with(APP, middlewares=["auth", "strip-app"]),
            {"strip_prefix": True, "middlewares": ["auth@file"]}, [f"{STAY}auth@file"]),
    Carried("a strip before what is blind to paths",
            router_with(APP, middlewares=["strip-app@file", "auth"]),
            {"strip_prefix": True, "middlewares": ["auth@file"]}, [STAY]),
    Carried("a strip before what sees the path",
            router_with(APP, middlewares=["strip-app", "ask"]),
            {"strip_prefix": False, "middlewares": ["strip-app@file", "ask@file"]}, [STAY]),
    Carried("a strip of two paths", router_with(APP, middlewares=["strip-two"]),
            {"strip_prefix": False, "middlewares": ["strip-two@file"]}, [STAY]),
    Carried("a strip without a path", router_with(middlewares=["strip-app"]),
            {"strip_prefix": None, "middlewares": ["strip-app@file"]}, [STAY]),
    Carried("a chain", router_with(APP, middlewares="both"),
            {"strip_prefix": False, "middlewares": ["both@file"]}, [STAY]),
    Carried("a middleware of docker", router_with(middlewares=["auth@docker"]),
            {"middlewares": ["auth@docker"]}),
    Carried("no entrypoints, with tls", router_with(entryPoints=None),
            {"entrypoints": ["websecure"]}, ["names no entryPoints"]),
    Carried("no entrypoints, without tls", router_with(entryPoints=None, tls=None),
            {"entrypoints": ["web"]}, ["names no entryPoints"]),
    Carried("tls on web", router_with(entryPoints=["web", "websecure"]),
            {"entrypoints": ["web", "websecure"]}, ["took only https on web"]),
    Carried("tls of every kind",
            router_with(tls={"certResolver": "le", "options": "default@file",
                             "domains": [{"main": "app.test", "sans": ["*.app.test"]}]}),
            {"tls": {"domains": ["app.test", "*.app.test"]}},
            ["not carried over from tls: certResolver"]),
    Carried("odd domains", router_with(tls={"domains": "app.test"}), {"tls": None},
            ["tls.domains are not carried over: not a list"]),
    Carried("keys in lower case", {"Rule": "Host(`app.test`)", "service": "app",
                                   "entrypoints": "web"}, {"entrypoints": ["web"]}),
    Carried("a priority", router_with(priority=7, observability={"tracing": False}), {},
            ["priority is not carried over", "not carried over: observability"]),
    Carried("a service of the file by its whole name", router_with(service="app@file"),
            {"service_url": "http://10.0.0.1:9000"}),
    Carried("two servers", router_with(), {"server_urls": [s["url"] for s in TWO_BACKENDS],
                                           "service_url": None}, service=balancer()),
    Carried("the same server twice", router_with(), {"service_url": "http://10.0.0.1:80"},
            service=balancer(servers=[TWO_BACKENDS[0]] * 2)),
    Carried("a path in a URL", router_with(), {"service_url": "http://10.0.0.1"},
            ["http.services.app: the path in a server's url is dropped"],
            one_server("http://10.0.0.1/base")),
    Carried("a slash in a URL", router_with(), {"service_url": "http://10.0.0.1"},
            service=one_server("http://10.0.0.1/")),
    Carried("a path that is preserved", router_with(), {"service_url": "http://10.0.0.1/base"},
            service=one_server("http://10.0.0.1/base", preservePath=True)),
    Carried("a query and a user", router_with(), {"service_url": "http://10.0.0.1"},
            ["the query, fragment or user"], one_server("http://me:secret@10.0.0.1?token=1")),
    Carried("the host header", router_with(), {"pass_host_header": False},
            service=balancer(passHostHeader=False)),
    Carried("what only Traefik has", router_with(), {},
            ["not carried over: healthCheck, sticky, serversTransport"],
            balancer(healthCheck={"path": "/"}, sticky={}, serversTransport="own")),
    Carried("weights", router_with(), {}, ["weights are not carried over"],
            balancer(servers=[{**TWO_BACKENDS[0], "weight": 3}, TWO_BACKENDS[1]])),
    Carried("a server of weight 0", router_with(), {"service_url": "http://10.0.0.2:80"},
            ["servers of weight 0 are left out"],
            balancer(servers=[{**TWO_BACKENDS[0], "weight": 0}, TWO_BACKENDS[1]])),
]  # fmt: skip


@pytest.mark.parametrize("case", CARRIED, ids=lambda case: case.name)
def test_a_router_is_carried_over_with_a_remark_on_what_changes(case: Carried) -> None:
    result = imported(file_with(case.router, case.service))
    (record,) = result.records
    section = record["metadata"]["router"]
    assert {key: section.get(key) for key in case.section} == case.section
    assert len(result.left_out) == len(case.remarks), result.left_out
    for sentence, words in zip(result.left_out, case.remarks, strict=True):
        assert words in sentence


LEFT_OUT = [
    ("a bare path", router_with("Host(`a.test`) && Path(`/x`)"), "takes one path only"),
    ("no host", router_with("PathPrefix(`/`)"), "every host"),
    ("one alternative without a host", router_with("Host(`a.test`) || Path(`/`)"), "every host"),
    ("another matcher", router_with("Host(`a.test`) && Method(`GET`)"), "Method(…)"),
    ("a client address", router_with("Host(`a.test`) && ClientIP(`10.0.0.0/8`)"), "ClientIP(…)"),
    ("a negation", router_with("Host(`a.test`) && !PathPrefix(`/x`)"), "!PathPrefix(…)"),
    ("two hosts at once", router_with("Host(`a.test`) && Host(`b.test`)"), "at once"),
    ("any other regexp", router_with(r"HostRegexp(`.+\.x\.test`)"), "one label"),
    ("a regexp of two labels", router_with(r"HostRegexp(`^.+\.x\.test$`)"), "one label"),
    ("every host by a star", router_with("Host(`*`)"), "catch every host"),
    ("a prefix that never matches", router_with("Host(`a.test`) && PathPrefix(`//`)"), "no path"),
    ("a path with an escape", router_with("Host(`a.test`) && PathPrefix(`/a%2Fb`)"), "path_prefix"),
    ("a broken rule", router_with("Host(`a.test"), "not understood: column 6"),
    ("no rule", {"service": "app"}, "it has no rule"),
    ("a rule that is a list", {**router_with(), "rule": ["Host"]}, "rule is not a text"),
    ("parents", router_with(parentRefs=["other"]), "parentRefs"),
    ("options of tls", router_with(tls={"options": "mutual"}), "tls.options mutual"),
    ("tls that is a list", router_with(tls=["x"]), "tls is not a mapping"),
    ("a service of docker", router_with(service="app@docker"), "app@docker"),
    ("an internal service", router_with(service="api@internal"), "api@internal"),
    ("no such service", router_with(service="other"), "the file does not have it"),
    ("a middleware of http", router_with(middlewares=["auth@http"]), "auth@http"),
    ("middlewares that are a mapping", router_with(middlewares={"a": 1}), "not a list of texts"),
    ("Traefik's own entrypoint", router_with(entryPoints=["traefik"]), "/entrypoints/0"),
    ("a router that is a list", ["x"], "it is not a mapping"),
    ("an empty router", None, "it is not a mapping"),
]


@pytest.mark.parametrize(("router", "words"), [case[1:] for case in LEFT_OUT],
                         ids=[case[0] for case in LEFT_OUT])  # fmt: skip
def test_a_router_that_a_record_would_widen_or_break_is_left_out(router: Any, words: str) -> None:
    result = imported(file_with(router))
    assert result.records == ()
    sentences = [line for line in result.left_out if line.startswith("http.routers.app: left out")]
    assert len(sentences) == 1
    assert words in sentences[0]


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"weighted": {"services": []}}, "weighted"),
        ({"failover": {"service": "x"}}, "failover"),
        (balancer(servers=[]), "no list of servers"),
        (balancer(servers={"url": "x"}), "no list of servers"),
        (balancer(servers=["http://10.0.0.1"]), "a server is not a mapping"),
        (one_server("10.0.0.1:9000"), "first server"),
        (one_server("h2c://10.0.0.1"), "/metadata/router/service_url"),
        (one_server("http://[::1"), "no URL"),
        (one_server("http://10.0.0.1", weight=0), "weight 0"),
        (["x"], "it is not a mapping"),
    ],
)
def test_a_service_that_a_record_cannot_have_leaves_its_router_out(
    service: Any, words: str
) -> None:
    result = imported(file_with(router_with(), service))
    assert result.records == ()
    (sentence,) = result.left_out
    assert sentence.startswith("http.routers.app: left out: ")
    assert words in sentence

"""Where requests go: rule 6 of rendering, sentence by sentence."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from registry.schema import field_errors
from registry.upstream import hostnames_of, resolve_upstream
from tests.records import GONE, environment, router

BOX = {"hostname": "devbox.test", "ip": "10.0.0.7"}
LINK = "http://10.0.0.8:9000"


def servers(changes: dict[str, Any] | None = None, **fields: Any) -> tuple[str, ...]:
    """The servers of a record with these fields in its router; `changes` are beside it."""
    made = environment(
        **router(service_url=fields.pop("service_url", GONE), **fields), **changes or {}
    )
    assert made.router
    return resolve_upstream(made.router, made.host, made.ports).servers


def base_path(**fields: Any) -> str:
    """The base path of a record with these fields in its router."""
    made = environment(**router(service_url=fields.pop("service_url", GONE), **fields))
    assert made.router
    return resolve_upstream(made.router, made.host, made.ports).base_path


def refused(changes: dict[str, Any] | None = None, **fields: Any) -> str:
    """The pointer that the record is refused for."""
    with pytest.raises(ValidationError) as raised:
        servers(changes, **fields)
    (fault,) = field_errors(raised.value)
    return fault.pointer


def port(**fields: Any) -> dict[str, Any]:
    """The changes of a record that has one port, `web`, on a box with an address."""
    return {"host": BOX, "ports": [{"name": "web", "port": 9000, **fields}]}


def test_the_service_url_is_the_upstream() -> None:
    assert servers(service_url=LINK) == (LINK,)


def test_service_url_and_server_urls_count_together_in_this_order() -> None:
    more = ["http://10.0.0.9:9000", "https://box.test"]
    assert servers(service_url=LINK, server_urls=more) == (LINK, *more)
    assert servers(server_urls=more) == tuple(more)


def test_a_server_that_is_named_twice_counts_once() -> None:
    assert servers(service_url=LINK, server_urls=[f"{LINK}/", LINK]) == (LINK,)


def test_empty_server_urls_mean_omitted() -> None:
    assert servers(port(), server_urls=[], port="web") == ("http://10.0.0.7:9000",)


def test_urls_go_before_the_named_port() -> None:
    assert servers(port(), service_url=LINK, port="web") == (LINK,)


def test_the_port_counts_by_its_url_when_that_is_http() -> None:
    assert servers(port(url=LINK), port="web") == (LINK,)
    assert servers(port(url="https://box.test/"), port="web") == ("https://box.test",)


@pytest.mark.parametrize("url", [None, "", "postgres://10.0.0.8/shop", "ws://10.0.0.8"])
def test_a_port_without_an_http_url_is_reached_at_the_host(url: str | None) -> None:
    if url == "":
        assert refused(port(url=url), port="web") == "/ports/0/url"
    else:
        assert servers(port(url=url), port="web") == ("http://10.0.0.7:9000",)


@pytest.mark.parametrize(
    ("hostnames", "url"),
    [
        (["app.test"], "https://app.test/"),
        (["app.test"], "http://APP.test.:8080"),
        (["*.app.test"], "https://www.app.test"),
        ([], "https://devbox.test"),
        (["bücher.test"], "https://xn--bcher-kva.test"),
    ],
)
def test_a_url_on_an_own_host_name_would_loop_and_is_not_used(
    hostnames: list[str], url: str
) -> None:
    assert servers(port(url=url), port="web", hostnames=hostnames) == ("http://10.0.0.7:9000",)


@pytest.mark.parametrize(
    ("hostnames", "url"),
    [
        (["app.test"], "https://devbox.test"),
        (["*.app.test"], "https://app.test"),
        (["*.app.test"], "https://a.b.app.test"),
    ],
)
def test_a_url_on_another_host_is_used(hostnames: list[str], url: str) -> None:
    assert servers(port(url=url), port="web", hostnames=hostnames) == (url,)


@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [
        (None, "http"),
        ("", "http"),
        ("tcp", "http"),
        ("http", "http"),
        ("https", "https"),
        ("HTTPS", "https"),
    ],
)
def test_the_scheme_comes_from_the_protocol(protocol: str | None, scheme: str) -> None:
    assert servers(port(protocol=protocol), port="web") == (f"{scheme}://10.0.0.7:9000",)


@pytest.mark.parametrize("protocol", ["udp", "grpc", "h2c", "http/1.1"])
def test_another_protocol_is_refused(protocol: str) -> None:
    assert refused(port(protocol=protocol), port="web") == "/ports/0/protocol"


def test_another_protocol_is_no_fault_while_the_url_serves() -> None:
    assert servers(port(protocol="grpc", url=LINK), port="web") == (LINK,)


def test_the_address_goes_before_the_host_name() -> None:
    assert servers(port(), port="web") == ("http://10.0.0.7:9000",)
    named = {**port(), "host": {"hostname": "DevBox.test.", "ip": None}}
    assert servers(named, port="web") == ("http://devbox.test:9000",)


@pytest.mark.parametrize(
    "host", [{"ip": "2001:DB8::7"}, {"hostname": "2001:db8:0::7"}, {"hostname": "[2001:db8::7]"}]
)
def test_an_ipv6_address_is_bracketed(host: dict[str, Any]) -> None:
    assert servers({**port(), "host": {"ip": None, **host}}, port="web") == (
        "http://[2001:db8::7]:9000",
    )


def test_a_base_path_is_kept_apart_from_the_servers() -> None:
    assert servers(service_url=f"{LINK}/base") == (LINK,)
    assert base_path(service_url=f"{LINK}//base/v1/") == "/base/v1"
    assert base_path(service_url=LINK) == base_path(service_url=f"{LINK}//") == "/"


def test_differing_base_paths_are_refused_at_the_second() -> None:
    several = [f"{LINK}/a", "http://10.0.0.9/a/", "http://10.0.0.9/b"]
    assert refused(server_urls=several) == "/metadata/router/server_urls/2"
    assert refused(service_url=LINK, server_urls=several[:1]) == "/metadata/router/server_urls/0"


@pytest.mark.parametrize(
    "url",
    [
        *("", "10.0.0.8:9000", "//10.0.0.8", "ftp://10.0.0.8", "h2c://10.0.0.8", "http:///x"),
        *(
            "http://10.0.0.8?a=b",
            "http://10.0.0.8/#a",
            "http://me@10.0.0.8",
            "http://me:pw@10.0.0.8",
        ),
        *("http://10.0.0.8:0", "http://10.0.0.8:65536", "http://10.0.0.8:", "http://10.0.0.8:08"),
        *("http://a b", "http://bücher.test", "http://10.0.0.8/%2e", "http://10.0.0.8/a b"),
        *("http://2001:db8::7", "http://10.0.0.8/`", "http://10.0.0.8\n", "http://{host}/"),
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    assert refused(service_url=url) == "/metadata/router/service_url"
    assert refused(server_urls=[LINK, url]) == "/metadata/router/server_urls/1"


@pytest.mark.parametrize(
    "url", [f"{LINK}/?a=b", f"{LINK}/#top", f"{LINK}/%20", "http://bücher.test"]
)
def test_a_link_that_is_not_plain_is_refused_once_a_router_uses_it(url: str) -> None:
    assert refused(port(url=url), port="web") == "/ports/0/url"
    assert environment(**port(url=url)).ports[0].url == url


@pytest.mark.parametrize("url", ["http://[bad/", "http://ex℀mple.test/", "http://[1.2.3.4]/"])
def test_a_link_that_no_parser_takes_is_refused_at_its_place(url: str) -> None:
    assert refused(port(url=url), port="web") == "/ports/0/url"


@pytest.mark.parametrize("url", ["http://[:::]/", "http://[1.2.3.4]/", "http://[::1.2]/"])
def test_an_address_that_is_none_is_refused_at_its_place(url: str) -> None:
    assert refused(service_url=url) == "/metadata/router/service_url"


def test_no_upstream_at_all_is_refused_where_one_belongs() -> None:
    assert refused(hostnames=["app.test"]) == "/metadata/router/service_url"
    assert refused(port(), server_urls=[]) == "/metadata/router/service_url"


@pytest.mark.parametrize("name", ["wbe", "", "WEB"])
def test_an_unknown_port_name_is_refused_even_beside_a_url(name: str) -> None:
    assert refused(port(), port=name) == "/metadata/router/port"
    assert refused(port(), port=name, service_url=LINK) == "/metadata/router/port"


def test_the_host_names_are_canonical_each_once_and_in_order() -> None:
    made = environment(**router(hostnames=["B.test", "a.test.", "b.test", "*.A.test"]))
    assert made.router
    assert hostnames_of(made.router, made.host) == ("b.test", "a.test", "*.a.test")


@pytest.mark.parametrize("hostnames", [None, []])
def test_the_host_itself_stands_in_for_omitted_host_names(hostnames: Any) -> None:
    made = environment(host={"hostname": "DEV.test."}, **router(hostnames=hostnames))
    assert made.router
    assert hostnames_of(made.router, made.host) == ("dev.test",)

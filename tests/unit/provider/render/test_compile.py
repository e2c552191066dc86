"""One record to its fragment: what is refused, what is remembered, what is never raised."""

from __future__ import annotations

import operator
import weakref
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from provider.render.compile import Rules, compile_record
from provider.render.compiler import Compiler
from provider.render.fragment import Fragment, OwnCertificate, Rejection
from registry.changes import validated
from registry.errors import InvalidRecord
from registry.fields import UPSTREAM_URL
from tests.records import UPSTREAM, environment, record, routed, router

GUARDED = Rules(
    forbidden_upstreams={
        ("localhost", 8700): "Routebook itself",
        ("traefik.test", 443): "the API of a Traefik",
        ("192.0.2.7", 8080): "the API of a Traefik",
    }
)


def rejection(**fields: Any) -> Rejection:
    """What a record with these fields in its router is rejected with."""
    compiled = compile_record(routed(**{"service_url": None, **fields}), GUARDED, None)
    assert isinstance(compiled, Rejection), compiled
    return compiled


def is_taken(url: str) -> bool:
    """Whether this upstream may be routed to."""
    return isinstance(compile_record(routed(service_url=url), GUARDED, None), Fragment)


@pytest.mark.parametrize("state", ["planned", "retired"])
def test_a_record_that_is_not_in_use_claims_nothing(state: str) -> None:
    made = environment(lifecycle={"state": state}, **router())
    assert compile_record(made, Rules(), None) is None


def test_a_record_without_a_router_claims_nothing() -> None:
    assert compile_record(environment(), Rules(), None) is None


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:8700", "http://localhost:8700/x", "http://LOCALHOST:8700"),
        *("http://127.0.0.2:8700", "http://[::1]:8700", "https://localhost:8700"),
        *("https://traefik.test", "https://Traefik.test:443", "http://192.0.2.7:8080"),
        *("http://169.254.169.254", "http://[fe80::1]:9000", "http://0.0.0.0:9000", "http://[::]"),
    ],
)
def test_our_listener_traefiks_api_and_link_local_addresses_are_refused(url: str) -> None:
    refused = rejection(service_url=url)
    assert (refused.code, refused.pointer) == ("forbidden_upstream", "/metadata/router/service_url")
    assert (refused.environment_id, refused.slug) == ("env-dev", "dev")


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:8701", "http://localhost", "http://traefik.test", "http://192.0.2.7"),
        *("https://traefik.test:8443", "http://10.0.0.1:8700", "http://mylocalhost:8700"),
    ],
)
def test_their_neighbours_are_not(url: str) -> None:
    assert is_taken(url)


@pytest.mark.parametrize(
    "url",
    ["http://[::ffff:169.254.169.254]", "http://[::ffff:127.0.0.1]:8700", "http://[::ffff:0:0]"],
)
def test_an_ipv4_address_in_ipv6_clothes_is_refused_too(url: str) -> None:
    assert not is_taken(url)


def test_one_forbidden_server_of_several_is_enough() -> None:
    refused = rejection(server_urls=[UPSTREAM, "http://127.0.0.1:8700"])
    assert refused.pointer == "/metadata/router/server_urls/1"


def test_a_forbidden_port_is_pointed_at() -> None:
    changes = {"host": {"ip": "127.0.0.1"}, "ports": [{"name": "web", "port": 8700}]}
    made = environment(**changes, **router(service_url=None, port="web"))
    refused = compile_record(made, GUARDED, None)
    assert isinstance(refused, Rejection)
    assert refused.pointer == "/ports/0"


URLS = st.from_regex(UPSTREAM_URL.replace("$", r"\Z"), fullmatch=True)


@settings(max_examples=200, derandomize=True, report_multiple_bugs=False)
@given(URLS)
@example("http://a..b/")
@example("http://a-.test:80")
@example(f"http://{'a' * 64}.test")
def test_whatever_record_is_valid_compiles_without_raising(url: str) -> None:
    try:
        made = validated(record(**router(service_url=url)))
    except InvalidRecord:
        return
    assert compile_record(made, GUARDED, None) is not None


def test_the_fallback_to_the_host_is_remembered() -> None:
    for fields, fallback in (
        ({}, True),
        ({"hostnames": []}, True),
        ({"hostnames": ["a.test"]}, False),
    ):
        compiled = compile_record(routed(**fields), Rules(), None)
        assert isinstance(compiled, Fragment)
        assert compiled.fallback_host is fallback


def test_a_compiler_compiles_the_same_record_once() -> None:
    compiler, made = Compiler(Rules()), routed()
    assert compiler.compile(made) is compiler.compile(made)
    assert compiler.compile_all([made])[0] is compiler.compile(made)


def test_another_certificate_is_another_fragment() -> None:
    compiler, made = Compiler(Rules()), routed(tls={"cert_file": "a.crt", "key_file": "a.key"})
    before = compiler.compile(made, OwnCertificate(None, "a.key is not there"))
    after = compiler.compile(made, OwnCertificate(None, "a.crt is not there"))
    assert before != after
    assert compiler.compile(made, OwnCertificate(None, "a.crt is not there")) is after


def test_another_version_of_a_record_is_compiled_anew() -> None:
    compiler = Compiler(Rules())
    before = compiler.compile(routed(hostnames=["a.test"]))
    after = compiler.compile(routed(hostnames=["b.test"]))
    assert isinstance(before, Fragment)
    assert isinstance(after, Fragment)
    assert [claim.host for claim in after.claims] == ["b.test"]


def test_what_is_compiled_stands_where_its_record_does() -> None:
    several = [routed("a"), environment(slug="b"), routed("c", service_url="http://[fe80::1]")]
    compiled = Compiler(GUARDED).compile_all(several)
    assert [type(item).__name__ for item in compiled] == ["Fragment", "NoneType", "Rejection"]


def test_records_that_are_only_judged_are_not_remembered_for_ever() -> None:
    compiler, one = Compiler(GUARDED), routed("one")
    (kept,) = compiler.compile_all([one])
    judged = []
    for number in range(3000):
        refused = routed(f"refused-{number}")
        assert compiler.compile(refused) is not None
        judged.append(weakref.ref(refused))
    del refused
    assert sum(each() is not None for each in judged) < 1100
    assert compiler.compile(one) is kept


def test_a_first_reading_remembers_all_that_it_judges() -> None:
    compiler = Compiler(GUARDED)
    environments = [routed(f"s{number}") for number in range(3000)]
    judged = [compiler.compile(each) for each in environments]
    assert all(map(operator.is_, compiler.compile_all(environments), judged))

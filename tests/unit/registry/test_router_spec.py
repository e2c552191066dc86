"""`metadata.router`: what each of its fields takes, and what it means when it is left out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pydantic import ValidationError

from registry.router_spec import RouterSpec, normal_path
from registry.schema import field_errors
from tests.records import UPSTREAM, environment, router


def pointers(**fields: Any) -> list[str]:
    """The places in `metadata.router` that a record is refused for."""
    try:
        environment(**router(**fields))
    except ValidationError as error:
        prefix = "/metadata/router"
        return [fault.pointer.removeprefix(prefix) for fault in field_errors(error)]
    return []


def spec(**fields: Any) -> RouterSpec:
    """A router section."""
    return RouterSpec(**{"service_url": UPSTREAM, **fields})


def test_every_field_may_be_null() -> None:
    fields = {field.name for field in dataclasses.fields(RouterSpec)} - {"service_url"}
    assert pointers(**dict.fromkeys(fields)) == []


def test_an_unknown_field_is_refused() -> None:
    assert pointers(hostname=["a.test"]) == ["/hostname"]
    assert pointers(tls={"cert": "a.crt"}) == ["/tls/cert"]


@pytest.mark.parametrize("field", ["hostnames", "entrypoints", "server_urls", "middlewares", "tls"])
def test_a_list_has_at_most_100_items(field: str) -> None:
    item = {"hostnames": "a.test", "entrypoints": "web", "server_urls": UPSTREAM}.get(field, "auth")
    if field == "tls":
        assert pointers(tls={"domains": ["a.test"] * 100}) == []
        assert pointers(tls={"domains": ["a.test"] * 101}) == ["/tls/domains"]
    else:
        assert pointers(**{field: [item] * 100}) == []
        assert pointers(**{field: [item] * 101}) == [f"/{field}"]


def test_a_string_is_not_taken_for_a_list() -> None:
    wrong = ("hostnames", "entrypoints", "server_urls", "middlewares")
    assert pointers(**dict.fromkeys(wrong, "web")) == [f"/{field}" for field in wrong]


def test_the_wrong_item_of_a_list_is_pointed_at() -> None:
    assert pointers(hostnames=["a.test", "a b", "c.test"]) == ["/hostnames/1"]
    assert pointers(tls={"domains": ["a.test", "*"]}) == ["/tls/domains/1"]


@pytest.mark.parametrize("name", ["web", "WEB", "web-secure", "internal_2", "0", "e" * 64])
def test_an_entrypoint_is_a_plain_word(name: str) -> None:
    assert pointers(entrypoints=[name]) == []


@pytest.mark.parametrize("name", ["", "a b", "web.1", "web@file", "e" * 65, "ü", "web\n", "web,x"])
def test_another_entrypoint_is_refused(name: str) -> None:
    assert pointers(entrypoints=[name]) == ["/entrypoints/0"]


@pytest.mark.parametrize("name", ["traefik", "Traefik"])
def test_traefiks_own_entrypoint_is_refused(name: str) -> None:
    assert pointers(entrypoints=["web", name]) == ["/entrypoints/1"]


@pytest.mark.parametrize("name", ["auth", "auth@file", "a.b-c_d", "0", "auth@kubernetescrd"])
def test_a_middleware_is_a_name_that_may_have_a_provider(name: str) -> None:
    assert pointers(middlewares=[name]) == []


@pytest.mark.parametrize(
    "name", ["", "a b", "a,b", "a║b", "auth@", "auth@File", "a@b@c", "@file", "ü", "auth@file\n"]
)
def test_another_middleware_is_refused(name: str) -> None:
    assert pointers(middlewares=[name]) == ["/middlewares/0"]


@pytest.mark.parametrize("name", ["env-dev.strip@http", "dashboard_redirect@internal"])
def test_middlewares_of_ours_and_of_traefik_itself_are_refused(name: str) -> None:
    assert pointers(middlewares=[name]) == ["/middlewares/0"]


@pytest.mark.parametrize(
    "path", ["/", "/app", "/app/", "//app//x/", "/a.b/c-d/e_f/~g", "/...", "/App", "/" + "a" * 1999]
)
def test_a_path_prefix_is_of_unreserved_characters(path: str) -> None:
    assert pointers(path_prefix=path) == []


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "app",
            "*",
            "/a b",
            "/a%2Fb",
            "/a?b",
            "/a#b",
            "/ü",
            "/a;b",
            "/a`",
            '/a"',
            "/a\\",
            "/a\n",
        ),
        *("/a/../b", "/./a", "/..", "/a/.", "/" + "a" * 2000),
    ],
)
def test_another_path_prefix_is_refused(path: str) -> None:
    assert pointers(path_prefix=path) == ["/path_prefix"]


@pytest.mark.parametrize(
    ("written", "normal"),
    [("/", "/"), ("//", "/"), ("/app", "/app"), ("/app/", "/app"), ("//a///b//", "/a/b")],
)
def test_repeated_and_trailing_slashes_are_dropped(written: str, normal: str) -> None:
    assert normal_path(written) == normal
    assert spec(path_prefix=written).path == normal


def test_the_path_is_the_root_unless_it_is_given() -> None:
    assert spec().path == "/"
    assert spec(path_prefix=None).path == "/"


@pytest.mark.parametrize(
    ("path", "strip", "strips"),
    [
        (None, None, False),
        ("/", None, False),
        ("/", True, False),
        ("//", True, False),
        ("/app", None, True),
        ("/app", True, True),
        ("/app", False, False),
    ],
)
def test_the_prefix_is_stripped_unless_it_is_the_root_or_told_not_to(
    path: str | None, strip: bool | None, strips: bool
) -> None:
    assert spec(path_prefix=path, strip_prefix=strip).strips is strips


@pytest.mark.parametrize("field", ["strip_prefix", "pass_host_header"])
@pytest.mark.parametrize("value", ["true", 1, 0, "no"])
def test_a_switch_is_true_or_false_and_nothing_like_it(field: str, value: Any) -> None:
    assert pointers(**{field: value}) == [f"/{field}"]


@pytest.mark.parametrize("name", ["dev.crt", "team/dev.crt", "Ünï côde.pem", "a..b"])
def test_a_certificate_is_a_file_inside_the_folder(name: str) -> None:
    assert pointers(tls={"cert_file": name, "key_file": "dev.key"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a",
        "a/../b",
        "/etc/a",
        "a//b",
        "a/",
        "./a",
        ".live/a",
        "a/.b",
        "a\\b",
        "a\0b",
    ],
)
def test_another_certificate_file_is_refused(name: str) -> None:
    assert pointers(tls={"cert_file": name, "key_file": "dev.key"}) == ["/tls/cert_file"]
    assert pointers(tls={"cert_file": "dev.crt", "key_file": name}) == ["/tls/key_file"]


def test_a_certificate_and_its_key_are_named_together() -> None:
    assert pointers(tls={"cert_file": "dev.crt"}) == ["/tls/key_file"]
    assert pointers(tls={"key_file": "dev.key", "cert_file": None}) == ["/tls/cert_file"]
    assert pointers(tls={}) == []

"""A URL as people write it, and the request that Traefik sees."""

from __future__ import annotations

import pytest

from provider.explain.paths import cleaned, routing_path, upstream_target
from provider.explain.target import target_of
from registry.errors import InvalidRecord


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        # Each one seen on Traefik 3.7.15.
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a/.", "/a"),
        ("/a/..", "/"),
        ("/a/./", "/a/"),
        ("/a/../", "/"),
        ("/a/b/..", "/a"),
        ("//a//b//", "/a/b/"),
        ("/../a", "/a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a%2fb", "/a%2Fb"),
        ("/%61%62", "/ab"),
        ("/a%7Eb", "/a~b"),
        ("/a%2Fb%2f..", "/a%2Fb%2F.."),
        ('/a"b', "/a%22b"),
        ('/a%2Fb"c', "/a/b%22c"),
        ("/a\\b", "/a%5Cb"),
        ("/a{b}^`|", "/a%7Bb%7D%5E%60%7C"),
        ("/a[b]!'()*", "/a[b]!'()*"),
        ("/a%c3%a9", "/a%C3%A9"),
        ("/...", "/..."),
    ],
)
def test_a_path_is_cleaned_as_traefik_does(raw: str, path: str) -> None:
    assert cleaned(raw) == path


def test_rules_see_everything_decoded_but_reserved_characters() -> None:
    assert routing_path("/a%20b%2Fc%25d%C3%A9%3B") == "/a b%2Fc%25dé%3B"
    assert routing_path("/%FF") == "/\udcff"


@pytest.mark.parametrize(
    ("path", "query", "strip", "add", "seen"),
    [
        ("/app/x", None, None, None, "/app/x"),
        ("/app", None, "/app", None, "/"),
        ("/app/", "q=1", "/app", None, "/?q=1"),
        ("/app", None, "/app", "/base", "/base"),
        ("/app/", None, "/app", "/base", "/base/"),
        ("/x", "a;b", None, "/base", "/base/x?a&b"),
        ("/x", "", None, None, "/x?"),
    ],
)
def test_the_upstream_sees_what_strip_and_add_leave(
    path: str, query: str | None, strip: str | None, add: str | None, seen: str
) -> None:
    assert upstream_target(path, query, strip, add) == seen


def test_case_port_trailing_dot_and_fragment_have_no_say() -> None:
    target = target_of(" HTTPS://App.Test.:8443/X?q=/../#part ")
    assert (target.host, target.tls, target.routing_path) == ("app.test", True, "/X")
    assert (target.raw, target.query, target.host_header) == (
        "/X?q=/../",
        "q=/../",
        "app.test:8443",
    )
    assert target_of("https://app.test:443").host_header == "app.test"
    assert target_of("http://app.test").raw == "/"


def test_what_people_type_is_sent_as_browsers_do() -> None:
    target = target_of("http://bücher.test/ä b")
    assert (target.host, target.raw) == ("xn--bcher-kva.test", "/%C3%A4%20b")
    assert target.routing_path == "/ä b"


def test_addresses_are_hosts_too() -> None:
    assert target_of("http://[::1]:8080/").host == "::1"
    assert target_of("http://[::1]:8080/").host_header == "[::1]:8080"
    assert target_of("http://127.0.0.1/").host == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.test/x",
        "ftp://app.test/",
        "https://",
        "https:///x",
        "https://*.test/",
        "https://a..test/",
        "https://app.test:0/",
        "https://app.test:99999/",
        "https://app.test:x/",
        "https://[::1/",
        "https://app.test/a%zz",
        "https://app.test/a%",
        "https://app.test/a\r\nHost: b.test",
        "https://app.test/a\tb",
    ],
)
def test_what_is_no_url_is_refused_at_its_pointer(url: str) -> None:
    with pytest.raises(InvalidRecord) as refused:
        target_of(url)
    assert [each.pointer for each in refused.value.errors] == ["/url"]


def test_user_information_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidRecord) as refused:
        target_of("https://ada:sekret@app.test/")
    assert "sekret" not in str([refused.value.detail, refused.value.errors])

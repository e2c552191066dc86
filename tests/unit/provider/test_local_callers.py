"""Open mode: local callers are answered, and nobody through them."""

from __future__ import annotations

import pytest

from provider.auth.open_mode import is_local, refusal


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_localhost_and_loopback_literals_are_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "::ffff:10.0.0.1",
        "10.0.0.1",
        "app.test",
        "localhost.test",
        "127.0.0.1.test",
        "127.1",
        "1",
    ],
)
def test_nothing_else_is(host: str) -> None:
    assert not is_local(host)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8700", "127.0.0.1:80", "[::1]", "[::1]:8700", "127.0.0.1"]
)
def test_a_local_host_is_answered_on_any_port(host: str) -> None:
    assert refusal({"Host": host}, ()) is None


@pytest.mark.parametrize(
    "host",
    [
        *("", "app.test", "app.test:8700", "10.0.0.1:8700", "localhost.evil.test"),
        *("evil.test:127.0.0.1", "127.0.0.1.nip.test", "[::2]:80", "::1"),
    ],
)
def test_another_host_is_refused(host: str) -> None:
    reason = refusal({"Host": host}, ())
    assert reason is not None
    assert "ROUTEBOOK_ALLOWED_HOSTS" in reason


@pytest.mark.parametrize("host", ["[::1]x.test", "[::1].evil.test:80", "[::1"])
def test_an_address_with_something_behind_it_is_another_host(host: str) -> None:
    assert refusal({"Host": host}, ()) is not None


@pytest.mark.parametrize("host", ["dev.box.test", "Dev.Box.test:8700"])
def test_an_allowed_host_is_answered(host: str) -> None:
    assert refusal({"Host": host}, {"dev.box.test"}) is None
    assert refusal({"Host": f"x{host}"}, {"dev.box.test"}) is not None


@pytest.mark.parametrize(
    "header",
    [
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
        *("x-forwarded-prefix", "X-FORWARDED-SERVER"),
    ],
)
def test_a_request_that_came_through_a_proxy_is_refused(header: str) -> None:
    reason = refusal({"Host": "localhost:8700", header: "10.0.0.1"}, ())
    assert reason is not None
    assert header in reason


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8700", "http://localhost:8700"),
        ("127.0.0.1:8700", "http://127.0.0.1:8700"),
        ("LOCALHOST:8700", "http://localhost:8700"),
    ],
)
def test_our_own_origin_is_answered(host: str, origin: str) -> None:
    assert refusal({"Host": host, "Origin": origin}, ()) is None


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "http://evil.test", "http://localhost", "http://localhost:3000"),
        *("http://127.0.0.1:8700", "http://localhost:8700.evil.test", "http://me@localhost:8700"),
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    reason = refusal({"Host": "localhost:8700", "Origin": origin}, ())
    assert reason is not None
    assert "another site" in reason


@pytest.mark.parametrize("origin", ["http://[", "http://[bad]:8700", "http://ex℀mple.test"])
def test_an_origin_that_is_no_url_is_another_site(origin: str) -> None:
    assert refusal({"Host": "localhost:8700", "Origin": origin}, ()) is not None

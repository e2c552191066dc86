"""The client: where a token comes from, and where it must not go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from registry.client import Client
from registry.connection import Unreachable
from registry.errors import Unauthenticated
from registry.sessions import SessionFile

Seen = list[str | None]


@contextmanager
def server(status: int, **headers: str) -> Iterator[tuple[str, Seen]]:
    """Answers everything with this status; notes each Authorization."""
    seen: Seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(status)
            for name, value in {"Content-Length": "2", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", seen
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def test_a_redirect_does_not_carry_the_token_to_another_place() -> None:
    with server(200) as (elsewhere, stolen), server(302, Location=elsewhere) as (url, seen):
        with pytest.raises(Unreachable):
            Client({"AGENT_API_URL": url, "AGENT_TOKEN": "secret"}).me()
        assert seen == ["Bearer secret"]
        assert stolen == []


def test_no_proxy_is_asked_for_what_is_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with server(200) as (url, seen):
        assert Client({"AGENT_API_URL": url}).me() == {}
        assert len(seen) == 1


def test_a_token_comes_from_the_variable_then_its_file_then_the_login(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("of-the-file\n")
    with server(200) as (url, seen):
        known = {"AGENT_API_URL": url + "/", "XDG_CONFIG_HOME": str(tmp_path)}
        SessionFile.of(known).store(url, {"token": "of-the-login"})
        Client({**known, "AGENT_TOKEN": "said", "AGENT_TOKEN_FILE": str(file)}).me()
        Client({**known, "AGENT_TOKEN_FILE": str(file)}).me()
        Client(known).me()
        Client({**known, "XDG_CONFIG_HOME": str(tmp_path / "other")}).me()
    assert seen == ["Bearer said", "Bearer of-the-file", "Bearer of-the-login", None]


def test_a_token_file_that_cannot_be_read_is_no_silent_stranger(tmp_path: Path) -> None:
    with pytest.raises(Unauthenticated, match="AGENT_TOKEN_FILE"):
        Client({"AGENT_TOKEN_FILE": str(tmp_path / "missing")})


def test_a_stored_login_is_for_its_user_alone_and_can_be_forgotten(tmp_path: Path) -> None:
    sessions = SessionFile(tmp_path / "routebook" / "sessions.json")
    sessions.store("http://a", {"token": "x"})
    sessions.store("http://b", {"token": "y"})
    assert sessions.path.stat().st_mode & 0o777 == 0o600
    assert sessions.forget("http://a") is True
    assert sessions.forget("http://a") is False
    assert (sessions.token_of("http://a"), sessions.token_of("http://b")) == (None, "y")
    sessions.path.write_text("not json")
    assert sessions.token_of("http://b") is None


def test_a_token_is_never_quoted_by_an_error(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for environ in (
        {"AGENT_TOKEN": "sec\nret"},
        {"AGENT_TOKEN": "sec ret"},
        {"AGENT_TOKEN": "sécret"},
        {"AGENT_TOKEN_FILE": str(empty)},
    ):
        with pytest.raises(Unauthenticated) as refused:
            Client(environ)
        assert "ret" not in str(refused.value)
    with server(200) as (url, seen):
        Client({"AGENT_API_URL": url, "AGENT_TOKEN": "secret\n"}).me()
        assert seen == ["Bearer secret"]


def test_what_answers_with_no_stream_is_not_routebook() -> None:
    with server(200) as (url, _), pytest.raises(Unreachable, match="not Routebook"):
        list(Client({"AGENT_API_URL": url}).events({}))


def test_a_stream_carries_the_token_and_begins_with_a_sign_that_it_is_open() -> None:
    with server(200, **{"Content-Type": "text/event-stream"}) as (url, seen):
        events = Client({"AGENT_API_URL": url, "AGENT_TOKEN": "secret"}).events({}, "some-1")
        assert next(events) is None
        events.close()
    assert seen == ["Bearer secret"]

"""A connection to the REST API: who calls, what is sent, and errors by their codes."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from registry import errors
from registry.errors import FieldError, RegistryError
from registry.sessions import SessionFile

DEFAULT_URL = "http://127.0.0.1:8700"
TIMEOUT_S = 60.0
_BY_CODE = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, RegistryError) and error is not RegistryError
}
_WITHDRAWN = {"true": True, "false": False}
_IN_EVERY_PROBLEM = {"type", "title", "status", "code", "detail", "errors"}


class Unreachable(Exception):
    """Nothing answers at the API's address, or what answers is not Routebook."""


class Answer(NamedTuple):
    """The JSON value of an answer, and its entity tag where it has one.

    `withdrawn` is what a deletion that waited says: whether no Traefik is known to serve it.
    """

    value: Any
    etag: str | None
    withdrawn: bool | None = None


class Connection:
    """One API, at AGENT_API_URL.

    Who calls: AGENT_TOKEN (or the file AGENT_TOKEN_FILE), else AGENT_EMAIL with AGENT_PASSWORD,
    else the token that `login` stored. Each method raises the registry's errors and Unreachable.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.url = (environ.get("AGENT_API_URL") or DEFAULT_URL).rstrip("/")
        self.sessions = SessionFile.of(environ)
        self._token = _given_token(environ)
        self._login = environ.get("AGENT_EMAIL"), environ.get("AGENT_PASSWORD")
        self._logged_in = False
        self._advice = _advice_on(self._token, environ)
        if self._token is None and not all(self._login):
            self._token = self.sessions.token_of(self.url)

    def login(self, email: str, password: str) -> dict[str, Any]:
        """A token for an account, with the time of its end."""
        credentials = {"email": email, "password": password}
        given: dict[str, Any] = self._send("POST", "/api/auth/login", credentials, None).value
        return given

    def close(self) -> None:
        """End the login that AGENT_EMAIL and AGENT_PASSWORD made, if one was made."""
        if self._logged_in:
            self._logged_in = False
            self.call("POST", "/api/auth/logout", {})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer."""
        return self._answer(method, path, body).value

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        return _opener(self.url)

    def _answer(self, method: str, path: str, body: Any = None, etag: str | None = None) -> Answer:
        self._log_in()
        return self._send(method, path, body, etag)

    def _log_in(self) -> None:
        email, password = self._login
        if self._token is None and email and password:
            self._token, self._logged_in = str(self.login(email, password)["token"]), True

    def _send(self, method: str, path: str, body: Any, etag: str | None) -> Answer:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if etag:
            headers["If-Match"] = etag
        content = None if body is None else json.dumps(body).encode()
        with self._opened(method, path, headers, content, TIMEOUT_S) as response:
            answer, tag = response.read(), response.headers.get("ETag")
            withdrawn = _WITHDRAWN.get(response.headers.get("Routebook-Withdrawn", ""))
        try:
            return Answer(json.loads(answer) if answer else None, tag, withdrawn)
        except ValueError as error:
            raise self._stranger() from error

    @contextmanager
    def _opened(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        content: bytes | None,
        timeout_s: float,
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request, while it is read; `timeout_s` is for each wait on the socket."""
        if self._token:
            headers = {**headers, "Authorization": f"Bearer {self._token}"}
        try:
            request = urllib.request.Request(
                self.url + path, data=content, headers=headers, method=method
            )
            with self._opener.open(request, timeout=timeout_s) as response:
                yield response
        except urllib.error.HTTPError as error:
            problem = self._problem(error.read(), error.code)
            if isinstance(problem, errors.Unauthenticated) and self._advice:
                problem.add_note(self._advice)
            raise problem from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"nothing answers at {self.url} ({reason}); is the daemon up? AGENT_API_URL "
                "names its address"
            ) from error

    def _stranger(self) -> Unreachable:
        return Unreachable(f"what answers at {self.url} is not Routebook; AGENT_API_URL names it")

    def _problem(self, content: bytes, status: int) -> Exception:
        try:
            problem = json.loads(content)
            error = _BY_CODE[problem["code"]]
            faults = [FieldError(e["pointer"], e["message"]) for e in problem.get("errors") or ()]
            facts = {key: problem[key] for key in problem.keys() - _IN_EVERY_PROBLEM}
            return error(problem["detail"], faults, **facts)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Unreachable(f"{self.url} answers with status {status}, and not as Routebook")


def is_plain_url(url: str) -> bool:
    """Whether this is an absolute http or https URL, without user information."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and "@" not in parts.netloc
        )
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another place."""

    def redirect_request(self, *_arguments: object) -> None:
        """No further request."""


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
    host = urlsplit(url).hostname or ""
    if host in ("localhost", "::1") or host.startswith("127."):
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy knows our loopback
    return urllib.request.build_opener(*handlers)


def _advice_on(token: str | None, environ: Mapping[str, str]) -> str | None:
    """What to do when those who this environment names are not let in."""
    names = ("AGENT_EMAIL", "AGENT_PASSWORD")
    missing = [name for name in names if not environ.get(name)]
    if token:
        name = "AGENT_TOKEN" if environ.get("AGENT_TOKEN", "").strip() else "AGENT_TOKEN_FILE"
        return f"set another {name}, or unset it and run `routebook login`"
    if not missing:
        return "look at AGENT_EMAIL and AGENT_PASSWORD: no account has both"
    if len(missing) == 1:
        return f"{missing[0]} is missing: set it too, or run `routebook login`"
    return None


def _given_token(environ: Mapping[str, str]) -> str | None:
    token, file = environ.get("AGENT_TOKEN", "").strip(), environ.get("AGENT_TOKEN_FILE")
    name = "AGENT_TOKEN"
    if not token and file:
        name = f"AGENT_TOKEN_FILE: {file}"
        try:
            token = Path(file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise errors.Unauthenticated(f"{name} cannot be read") from error
        if not token:  # it was meant to say who calls: nobody else's login stands in for it
            raise errors.Unauthenticated(f"{name} is empty")
    # Never the text itself: an error of the HTTP library would quote it.
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise errors.Unauthenticated(f"{name} is not a token: it has spaces or odd characters")
    return token or None

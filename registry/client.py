"""The registry over its REST API: the same verbs, and the same errors by code."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from registry import errors
from registry.errors import FieldError, RegistryError
from registry.event_stream import MEDIA_TYPE, Streamed, events_of
from registry.sessions import SessionFile

DEFAULT_URL = "http://127.0.0.1:8700"
TIMEOUT_S = 60.0
SILENCE_S = 45.0
_LINE_BYTES_MAX = 1024 * 1024
PAGE = 1000
_ALL = "/api/environments"
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


class How(NamedTuple):
    """How to write: only rehearsed, or with seconds to wait until Traefik serves it (0 to 30)."""

    dry_run: bool = False
    wait_s: float | None = None

    @property
    def query(self) -> str:
        """As the API takes it."""
        return _query({"dry_run": "true" if self.dry_run else None, "wait": self.wait_s})


PLAINLY = How()


class Client:
    """One API, at AGENT_API_URL.

    Who calls: AGENT_TOKEN (or the file AGENT_TOKEN_FILE), else AGENT_EMAIL with AGENT_PASSWORD,
    else the token that `login` stored. Each method raises the registry's errors and Unreachable.
    A write that is only rehearsed gives what it would change, and changes nothing.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.url = (environ.get("AGENT_API_URL") or DEFAULT_URL).rstrip("/")
        self.sessions = SessionFile.of(environ)
        self._token = _given_token(environ)
        self._login = environ.get("AGENT_EMAIL"), environ.get("AGENT_PASSWORD")
        self._logged_in = False
        if self._token is None and not all(self._login):
            self._token = self.sessions.token_of(self.url)

    def listed(self, filters: Mapping[str, object]) -> dict[str, Any]:
        """One page of environments, with their workspaces."""
        page: dict[str, Any] = self.call("GET", _ALL + _query(filters))
        return page

    def every(self, path: str, key: str, filters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """All items of a list that has pages."""
        cursor: str | None = None
        while True:
            page = self.call("GET", path + _query({**filters, "limit": PAGE, "cursor": cursor}))
            yield from page[key]
            cursor = page["next"]
            if cursor is None:
                return

    def environments(self, filters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """All environments that the filters ask for."""
        return self.every(_ALL, "environments", filters)

    def routes(self, filters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """All routes that the filters ask for."""
        return self.every("/api/routes", "routes", filters)

    def explain(self, url: str, entrypoint: str | None, *, probe: bool) -> dict[str, Any]:
        """Who answers a URL, and why."""
        asked = {"url": url, "entrypoint": entrypoint, "probe": "true" if probe else None}
        explained: dict[str, Any] = self.call("GET", "/api/routes/explain" + _query(asked))
        return explained

    def tasks(self, filters: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """All human tasks that the filters ask for."""
        return self.every("/api/human-tasks", "tasks", filters)

    def task(self, task_id: str) -> dict[str, Any]:
        """One human task."""
        task: dict[str, Any] = self.call("GET", _task(task_id))
        return task

    def change_task(self, task_id: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """The task after a person's change."""
        task: dict[str, Any] = self.call("POST", _task(task_id), change)
        return task

    def certificates(self) -> dict[str, Any]:
        """Every certificate that a record names or that the folder holds."""
        shown: dict[str, Any] = self.call("GET", "/api/certificates")
        return shown

    def read(self, ref: str) -> Answer:
        """One environment, hydrated, and its entity tag."""
        return self._answer("GET", _one(ref))

    def routing(self, ref: str) -> dict[str, Any]:
        """Whether an environment is really served, by whom, and why not."""
        found: dict[str, Any] = self.call("GET", f"{_one(ref)}/routing")
        return found

    def traefiks(self) -> list[dict[str, Any]]:
        """What was last seen of each known Traefik."""
        known: list[dict[str, Any]] = self.call("GET", "/api/traefiks")["traefiks"]
        return known

    def router(self) -> dict[str, Any]:
        """The document in force, and who polls it."""
        router: dict[str, Any] = self.call("GET", "/api/health")["metrics"]["router"]
        return router

    def create(self, body: Any, how: How = PLAINLY) -> dict[str, Any]:
        """A new environment."""
        created: dict[str, Any] = self.call("POST", _ALL + how.query, body)
        return created

    def patch(
        self, ref: str, patch: Any, how: How = PLAINLY, etag: str | None = None
    ) -> dict[str, Any]:
        """A merge patch; with `etag` only on that revision."""
        changed: dict[str, Any] = self._answer("PATCH", _one(ref) + how.query, patch, etag).value
        return changed

    def delete(self, ref: str, how: How = PLAINLY) -> Answer:
        """Take an environment away; nothing is left to show."""
        return self._answer("DELETE", _one(ref) + how.query)

    def apply(
        self, records: Sequence[Any], project_id: str | None, how: How, *, prune: bool
    ) -> dict[str, Any]:
        """Declared records, all or none."""
        body = {"environments": records, "project_id": project_id, "prune": prune}
        applied: dict[str, Any] = self.call("POST", f"{_ALL}:apply{how.query}", body)
        return applied

    def history(self, ref: str | None, since: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """The changes of one environment, newest first; of all, oldest first, after `since`."""
        path = "/api/history" + _query({"since": since, "limit": limit})
        rows: list[dict[str, Any]] = self.call("GET", f"{_one(ref)}/history" if ref else path)[
            "history"
        ]
        return rows

    def revert(self, ref: str, revision: int, how: How = PLAINLY) -> Answer:
        """The state after a revision, as a new change; no value when that was deletion."""
        return self._answer("POST", f"{_one(ref)}/revert{how.query}", {"revision": revision})

    def issue_certificate(self, ref: str, how: How = PLAINLY) -> dict[str, Any]:
        """A development certificate for an environment; the key stays with the daemon."""
        path = f"/api/certificates{how.query}"
        issued: dict[str, Any] = self.call("POST", path, {"environment": ref})
        return issued

    def dev_ca(self) -> dict[str, Any]:
        """The certificate of the development CA."""
        authority: dict[str, Any] = self.call("GET", "/api/certificates/ca")
        return authority

    def events(
        self, filters: Mapping[str, object], last_id: str | None = None
    ) -> Iterator[Streamed | None]:
        """Live events until the daemon ends the stream; None at first, and for each ping.

        `last_id` says that this is a reconnect. Silence of 45 seconds is Unreachable.
        """
        self._log_in()
        headers = {"Accept": MEDIA_TYPE, **({"Last-Event-ID": last_id} if last_id else {})}
        path = "/api/events" + _query(filters)
        with self._opened("GET", path, headers, None, SILENCE_S) as response:
            if response.headers.get_content_type() != MEDIA_TYPE:
                raise self._stranger()
            yield None
            yield from events_of(iter(lambda: response.readline(_LINE_BYTES_MAX), b""))

    def me(self) -> dict[str, Any]:
        """Who is calling."""
        identity: dict[str, Any] = self.call("GET", "/api/auth/me")
        return identity

    def login(self, email: str, password: str) -> dict[str, Any]:
        """A token for an account, with the time of its end."""
        credentials = {"email": email, "password": password}
        given: dict[str, Any] = self._send("POST", "/api/auth/login", credentials, None).value
        return given

    def confirm(self, how: How = PLAINLY) -> dict[str, Any]:
        """Let a held or stale hand edit through; `confirmed` are the ids that it is about."""
        answer = self.call("POST", f"/api/catalogue/confirm{how.query}", {})
        if not isinstance(answer, dict) or not isinstance(answer.get("confirmed"), list):
            raise self._stranger()
        return answer

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
            raise self._problem(error.read(), error.code) from None
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


def _task(task_id: str) -> str:
    return f"/api/human-tasks/{quote(task_id, safe='')}"


def _one(ref: str) -> str:
    return f"{_ALL}/{quote(ref, safe='')}"


def _query(parameters: Mapping[str, object]) -> str:
    given = {key: value for key, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""

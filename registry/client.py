"""The registry over its REST API: the same verbs, and the same errors by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from registry.connection import Answer, Connection
from registry.event_stream import MEDIA_TYPE, Streamed, events_of

SILENCE_S = 45.0
_LINE_BYTES_MAX = 1024 * 1024
PAGE = 1000
_ALL = "/api/environments"


class How(NamedTuple):
    """How to write: only rehearsed, or with seconds to wait until Traefik serves it (0 to 30)."""

    dry_run: bool = False
    wait_s: float | None = None

    @property
    def query(self) -> str:
        """As the API takes it."""
        return _query({"dry_run": "true" if self.dry_run else None, "wait": self.wait_s})


PLAINLY = How()


class Client(Connection):
    """The verbs, over one connection.

    A write that is only rehearsed gives what it would change, and changes nothing.
    """

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

    def project(self, project_id: str) -> dict[str, Any]:
        """One workspace. Raises NotFound, with near names."""
        path = f"/api/projects/{quote(project_id, safe='')}"
        project: dict[str, Any] = self.call("GET", path)
        return project

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

    def confirm(self, how: How = PLAINLY) -> dict[str, Any]:
        """Let a held or stale hand edit through; `confirmed` are the ids that it is about."""
        answer = self.call("POST", f"/api/catalogue/confirm{how.query}", {})
        if not isinstance(answer, dict) or not isinstance(answer.get("confirmed"), list):
            raise self._stranger()
        return answer


def _task(task_id: str) -> str:
    return f"/api/human-tasks/{quote(task_id, safe='')}"


def _one(ref: str) -> str:
    return f"{_ALL}/{quote(ref, safe='')}"


def _query(parameters: Mapping[str, object]) -> str:
    given = {key: value for key, value in parameters.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""

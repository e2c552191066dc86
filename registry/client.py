"""The registry over its REST API: the same errors, by code."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from registry import errors
from registry.errors import FieldError, RegistryError

DEFAULT_URL = "http://127.0.0.1:8700"
TIMEOUT_S = 30.0
_BY_CODE = {
    error.code: error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, RegistryError) and error is not RegistryError
}


class Unreachable(Exception):
    """Nothing answers at the API's address, or what answers is not Routebook."""


class Client:
    """One API, with the token that AGENT_TOKEN, or AGENT_EMAIL and AGENT_PASSWORD, give."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._url = environ.get("AGENT_API_URL", DEFAULT_URL).rstrip("/")
        self._token = environ.get("AGENT_TOKEN")
        self._login = environ.get("AGENT_EMAIL"), environ.get("AGENT_PASSWORD")

    def confirm(self) -> list[str]:
        """Let a held or stale hand edit through; the ids that it is about."""
        answer = self.call("POST", "/api/catalogue/confirm", {})
        try:
            return [str(each) for each in answer["confirmed"]]
        except (KeyError, TypeError) as error:
            raise Unreachable(f"what answers at {self._url} is not Routebook") from error

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer. Raises the registry's own errors, and Unreachable."""
        if self._token is None and all(self._login):
            email, password = self._login
            answer = self._send("POST", "/api/auth/login", {"email": email, "password": password})
            self._token = answer["token"]
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._url + path, data=content, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            raise _problem(error.read(), error.code) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Unreachable(
                f"nothing answers at {self._url} ({reason}); is the daemon up? AGENT_API_URL "
                "names its address"
            ) from error
        try:
            return json.loads(answer) if answer else None
        except ValueError as error:
            raise Unreachable(f"what answers at {self._url} is not Routebook") from error


def _problem(content: bytes, status: int) -> Exception:
    try:
        problem = json.loads(content)
        error = _BY_CODE[problem["code"]]
        faults = [FieldError(e["pointer"], e["message"]) for e in problem.get("errors") or ()]
        return error(problem["detail"], faults)
    except (ValueError, KeyError, TypeError):
        return Unreachable(f"an answer with status {status} that is not Routebook's")

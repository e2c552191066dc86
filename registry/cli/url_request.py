"""One GET of a URL from this machine: what came back, within a time and a size. I/O only."""

from __future__ import annotations

import http.client
import queue
import ssl
import threading
import urllib.error
import urllib.request
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from registry.connection import is_plain_url

REQUEST_S = 10.0
BODY_BYTES_MAX = 64 * 1024
_REDIRECTS_MAX = 3
_LOOPBACK = ("localhost", "::1")


class Outcome(NamedTuple):
    """What a URL answered: the HTTP status, and why it is not good where it is not."""

    is_good: bool
    status: int | None = None
    detail: str | None = None


def request(url: str, timeout_s: float = REQUEST_S) -> Outcome:
    """Ask for an absolute URL; good is a status of 2xx, after at most 3 redirects of its host.

    Never raises for what comes back, and takes no longer than `timeout_s`.
    """
    if not is_plain_url(url):
        return Outcome(False, detail="not a URL such as http://app.test/path")
    outcome: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    # In a thread that nobody waits for: the time-out of urllib begins anew with every byte.
    threading.Thread(
        target=lambda: outcome.put(_asked(url, timeout_s)), name="smoke", daemon=True
    ).start()
    try:
        return outcome.get(timeout=timeout_s)
    except queue.Empty:
        return _late(timeout_s)


def _asked(url: str, timeout_s: float) -> Outcome:
    asked = urllib.request.Request(url, headers={"User-Agent": "routebook-smoke/1"})
    try:
        with _opener(url).open(asked, timeout=timeout_s) as response:
            left = BODY_BYTES_MAX
            while left > 0 and (part := response.read1(left)):
                left -= len(part)
            return Outcome(True, response.status)
    except _Strayed as error:
        return Outcome(False, error.code, str(error.reason))
    except urllib.error.HTTPError as error:
        with error:
            return Outcome(False, error.code, f"status {error.code}")
    except TimeoutError:
        return _late(timeout_s)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Outcome(False, detail=_words(getattr(error, "reason", error), timeout_s))


def _late(timeout_s: float) -> Outcome:
    return Outcome(False, detail=f"no whole answer within {timeout_s:g} seconds")


def _words(reason: object, timeout_s: float) -> str | None:
    if isinstance(reason, TimeoutError):
        return _late(timeout_s).detail
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate: {reason.verify_message}"
    if isinstance(reason, OSError):
        return f"cannot connect: {reason.strerror or reason}"[:300]
    return f"no answer of HTTP ({type(reason).__name__})"


class _Strayed(urllib.error.HTTPError):
    """A redirect that is not followed."""


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the same host; from http to https, never back."""

    max_redirections = _REDIRECTS_MAX

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request. Raises _Strayed for another host or scheme."""
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.hostname != after.hostname or "@" in after.netloc:
            raise _Strayed(
                newurl, code, f"redirects to another host, {after.hostname}", headers, fp
            )
        if after.scheme != before.scheme and after.scheme != "https":
            raise _Strayed(
                newurl, code, f"redirects from {before.scheme} to {after.scheme}", headers, fp
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_SameHost()]
    host = urlsplit(url).hostname or ""
    if host in _LOOPBACK or host.startswith("127."):
        handlers.append(urllib.request.ProxyHandler({}))  # no proxy knows our loopback
    return urllib.request.build_opener(*handlers)

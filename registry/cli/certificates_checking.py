"""The verb that looks at what Traefik really presents: `certs check`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from registry.cli.presented import Address, NoHandshake, distrust, presented_certificate
from registry.cli.terminal import AsJson, client_of, remark, say_json, sheet
from registry.client import Client
from registry.connection import Unreachable
from registry.errors import NotFound, RegistryError

_ENTRYPOINT, _PORT = "websecure", 443


def check(
    context: typer.Context,
    host: Annotated[str, typer.Argument(metavar="HOST", help="such as app.test")],
    address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="of Traefik; else that of the first known one"),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a CA in PEM that must be trusted with")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Which certificate Traefik presents for a host.

    Exit code 1 when there is none, it does not cover the host, it is not valid now, it is not the
    one of the record, or a client that trusts --ca alone does not trust it.
    """
    from registry.cli.inspection import covers_host, facts_of, problems_of, rows_of

    if ca is not None:
        _refuse_unreadable(ca)
    known = _Known(client_of(context))
    asked = _canonical(host)
    where = _address(address) if address else known.address()
    try:
        der = presented_certificate(where, asked)
    except NoHandshake as error:
        remark(str(error))
        raise typer.Exit(1) from None
    presented = facts_of(der)
    found: dict[str, Any] = {
        "host": asked,
        "address": str(where),
        "presented": presented,
        "covers": covers_host(presented["names"], asked),
        "trusted": _trust(where, asked, known.dev_ca(), ca),
        "expected": known.expected(asked, presented["fingerprint"]),
    }
    found["problems"] = problems_of(found)
    if as_json:
        say_json(found)
    else:
        sheet(rows_of(found))
        for problem in found["problems"]:
            remark(problem)
    if found["problems"]:
        raise typer.Exit(1)


class _Known:
    """What the API knows. Without an API the handshake alone says what it can."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._is_away = False

    def address(self) -> Address:
        """Where the first known Traefik ends TLS; else the usual port of this machine."""
        traefiks = self._client.call("GET", "/api/traefiks")["traefiks"]
        entrypoints = traefiks[0]["entrypoints"] if traefiks else []
        ports = {each["name"]: each["port"] for each in entrypoints if each.get("port")}
        if _ENTRYPOINT not in ports:
            return Address("127.0.0.1", _PORT)
        host = urlsplit(traefiks[0]["traefik"]).hostname or "localhost"
        if host in ("localhost", "::1") or host.startswith("127."):
            # Loopback is that of the daemon's machine, which is where its API is.
            host = urlsplit(self._client.url).hostname or host
        return Address(host, ports[_ENTRYPOINT])

    def dev_ca(self) -> str | None:
        """The development CA in PEM, when there is one."""
        try:
            return str(self._get("/api/certificates/ca")["pem"])
        except (RegistryError, KeyError):
            return None

    def expected(self, host: str, fingerprint: str) -> dict[str, Any] | None:
        """The file that the record behind this host names, and whether it is what is presented."""
        try:
            question = f"/api/routes/explain?url={quote(f'https://{_in_url(host)}/', safe='')}"
            environment = self._get(question)["answer"]["environment"]
            record = self._get(f"/api/environments/{environment}")
            file = record["metadata"]["router"]["tls"]["cert_file"]
            known = self._fingerprint(file)
        except (NotFound, KeyError, TypeError, StopIteration):
            return None
        return {
            "environment": environment,
            "cert_file": file,
            "fingerprint": known,
            "is_presented": known == fingerprint if known else None,
        }

    def _fingerprint(self, file: str) -> str | None:
        """Of the certificate in a file; None where it cannot be read."""
        try:
            rows = self._client.call("GET", "/api/certificates")["certificates"]
        except Unreachable:  # a daemon that does not list certificates
            raise NotFound("no list of certificates") from None
        found: Mapping[str, Any] = next(each for each in rows if each["cert_file"] == file)
        return found.get("fingerprint")

    def _get(self, path: str) -> Any:
        if self._is_away:
            return {}
        try:
            return self._client.call("GET", path)
        except Unreachable as error:
            self._is_away = True
            remark(f"{error}; what it knows is left out")
            return {}


def _trust(
    where: Address, host: str, dev_ca: str | None, ca: Path | None
) -> dict[str, Mapping[str, Any]]:
    """Who trusts what is presented, and why not."""
    contexts: dict[str, Callable[[], ssl.SSLContext]] = {"system": ssl.create_default_context}
    if dev_ca:
        contexts["dev_ca"] = partial(ssl.create_default_context, cadata=dev_ca)
    if ca:
        contexts["ca_file"] = partial(ssl.create_default_context, cafile=str(ca))
    reasons = {name: distrust(where, host, context) for name, context in contexts.items()}
    return {name: {"trusted": why is None, "reason": why} for name, why in reasons.items()}


def _refuse_unreadable(ca: Path) -> None:
    try:
        ssl.create_default_context(cafile=str(ca))
    except OSError as error:  # ssl's errors are some too
        reason = "no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise typer.BadParameter(f"--ca {ca}: {reason}") from None


def _canonical(host: str) -> str:
    from registry.names import canonical_host

    try:
        return canonical_host(host)
    except ValueError as error:
        raise typer.BadParameter(f"HOST: {error}") from None


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise typer.BadParameter(f"--address: {text!r} is not HOST:PORT, such as 127.0.0.1:443")
    return Address(host.strip("[]"), int(port))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host

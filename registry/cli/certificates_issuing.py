"""Verbs for development certificates: `certs issue` and `certs trust`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.cli.foreseen import DryRun, say_foreseen
from registry.cli.terminal import AsJson, client_of, printable, say, say_json, sheet
from registry.cli.trusting import FILE, ways_to_trust
from registry.client import How
from registry.connection import Unreachable


def issue(
    context: typer.Context,
    ref: Annotated[str, typer.Option("--for", metavar="REF", help="an environment's id or slug")],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """A certificate from the development CA for an environment.

    The daemon writes both files and names them in the record; again, and they are replaced.
    """
    issued = client_of(context).issue_certificate(ref, How(dry_run=dry_run))
    if dry_run:
        say_foreseen(_as_write(issued, as_json=as_json), as_json=as_json)
    elif as_json:
        say_json(issued)
    else:
        say(printable(f"issued {issued['cert_file']} and {issued['key_file']}"))
        names = ", ".join(issued["names"])
        rows = [("names", names), *((key, issued[key]) for key in _SHOWN)]
        sheet([(key.replace("_", " "), value) for key, value in rows])


_SHOWN = ("environment", "not_after", "issuer", "fingerprint")


def _as_write(issued: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """As the dry run of a write of the environment is shown."""
    if as_json:
        return issued
    named = {"environment_id": issued["environment"], "slug": issued["slug"]}
    return {**issued, "environment": named}


def trust(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write it there")] = None,
    as_json: AsJson = False,
) -> None:
    """The development CA's certificate, and how to trust it.

    The commands are printed and not run. Without --out the certificate is printed.
    """
    client = client_of(context)
    authority = client.dev_ca()
    pem = _certificate(authority["pem"], client.url)
    if out is not None:
        out.write_text(pem)
    if as_json:
        say_json({**authority, "pem": pem, "file": str(out) if out else None})
        return
    if out is None:
        say(pem.rstrip())
    # Beside a printed certificate the words go to the other stream: it may be piped to a file.
    tell = say if out is not None else _aside
    tell(f"{'wrote' if out else 'save it as'} {printable(out or FILE)}")
    tell(printable(f"it may sign for {', '.join(authority['domains'])} and loopback addresses,"))
    tell(printable(f"until {authority['not_after']}; SHA-256 {authority['fingerprint']}"))
    for title, commands in ways_to_trust(str(out or FILE)):
        tell(f"\n{title}")
        for command in commands:
            tell(f"  {printable(command)}")


def _aside(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _certificate(pem: str, url: str) -> str:
    """The one certificate that is in there, and nothing else: it goes to a terminal."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.PEM).decode()
    except ValueError as error:
        raise Unreachable(f"{url} answers with no certificate") from error

"""`routebook certs`: the certificates of the folder; alone it lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from registry.cli import certificates_checking, certificates_issuing
from registry.cli.tables import table
from registry.cli.terminal import AsJson, client_of, remark, say_json

_COLUMNS = (
    "file", "status", "names", "issuer", "ends", "days", "key", "used by", "loaded",
)  # fmt: skip


def list_certificates(context: typer.Context, as_json: AsJson = False) -> None:
    """Each certificate that a record names or that the folder holds."""
    shown = client_of(context).certificates()
    if as_json:
        say_json(shown)
        return
    for each in shown["certificates"]:
        for note in _notes(each):
            begins = note.startswith(f"{each['file']} ")
            remark(note if begins else f"{each['file']}: {note}")
    table(
        _COLUMNS,
        [*map(_row, shown["certificates"])],
        keys=("file",),
        below=("issuer", "names", "used by", "key"),
        empty="no record names a certificate, and the folder holds none",
    )


SUBVERBS: dict[str, Callable[..., None]] = {
    "list": list_certificates,
    "issue": certificates_issuing.issue,
    "trust": certificates_issuing.trust,
    "check": certificates_checking.check,
}
"""The table of the verbs below `certs`."""


def _certs(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="as of `certs list`")] = False,
) -> None:
    if context.invoked_subcommand is None:
        list_certificates(context, as_json)
    elif as_json:
        raise typer.BadParameter(f"--json belongs after {context.invoked_subcommand}")


def certs_app() -> typer.Typer:
    """Every verb below `certs`, under its name."""
    app = typer.Typer(invoke_without_command=True, help="Certificates; without a verb the list.")
    app.callback()(_certs)
    for name, verb in SUBVERBS.items():
        app.command(name)(verb)
    return app


def _row(certificate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "file": certificate["file"],
        "status": certificate["status"],
        "names": ", ".join(certificate["names"]),
        "issuer": certificate["issuer"],
        "ends": (certificate["not_after"] or "")[:10],
        "days": certificate["days_left"],
        "key": _key(certificate),
        "used by": ", ".join(user["slug"] for user in certificate["used_by"]),
        "loaded": _loaded(certificate["loaded"]),
    }


def _key(certificate: Mapping[str, Any]) -> str | None:
    if certificate["key_matches"] is False:
        return "another's"
    mode: str | None = certificate["key_mode"]
    return f"{mode}, for all to read" if certificate["key_readable_by_others"] else mode


def _loaded(by_traefik: Mapping[str, bool | None]) -> str | None:
    """Nothing where no Traefik is known, or none says it."""
    known = [each for each in by_traefik.values() if each is not None]
    if not known:
        return None
    if len(by_traefik) == 1:
        return "yes" if known[0] else "no"
    return f"{sum(known)} of {len(by_traefik)}"


def _notes(certificate: Mapping[str, Any]) -> list[str]:
    served = "; its last good copy is served" if certificate["served_copy"] else ""
    problem = [f"{certificate['problem']}{served}"] if certificate["problem"] else []
    uncovered = certificate["uncovered"]
    return problem + ([f"not for {', '.join(uncovered)}"] if uncovered else [])

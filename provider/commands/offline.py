"""`routebook check` and `routebook render`: a folder judged without a daemon; nothing is written.

A fault is a line on standard output, and all other words of `check` are on standard error, as are
those of `render` beside its document.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from registry.cli.terminal import AsJson, printable

if TYPE_CHECKING:
    from provider.offline import Inspection
    from provider.settings import Settings

Data = Annotated[Path | None, typer.Option(help="the data folder", show_default="data")]
Projects = Annotated[
    Path | None, typer.Option(help="the folder of workspaces", show_default="projects")
]
# Values come from the context's parameters: they are passed on as flags of `serve`.
Setting = str | None
Several = list[str] | None


def check(
    context: typer.Context, data: Data = None, projects: Projects = None, as_json: AsJson = False
) -> None:
    """Validate catalogue, workspaces and certificates of a folder, without a daemon.

    Prints each fault as file:line:column: pointer: reason. Exits with 1 if
    there is any, with 2 when a folder is missing. The ROUTEBOOK_ variables of
    the settings that `render` has as flags count here too.
    """
    inspection = _inspect(context.params)
    if as_json:
        print(_json(inspection))
    else:
        _say(map(str, inspection.faults), sys.stdout)
        _say((f"warning: {finding}" for finding in inspection.warnings), sys.stderr)
        _say([_summary(inspection)], sys.stderr)
    sys.stdout.flush()
    if inspection.faults:
        raise typer.Exit(1)


def render(
    context: typer.Context,
    data: Data = None,
    projects: Projects = None,
    tls_entrypoints: Annotated[
        Several,
        typer.Option(help="entrypoints whose routers carry tls", show_default="websecure"),
    ] = None,
    cert_resolver: Annotated[
        Setting, typer.Option(help="resolver for records without an own certificate")
    ] = None,
    middleware_provider: Annotated[
        Setting, typer.Option(help="provider of a bare middleware name", show_default="file")
    ] = None,
    servers_transport: Annotated[Setting, typer.Option(help="transport of https upstreams")] = None,
    traefik_certs_dir: Annotated[
        Setting, typer.Option(help="the certificate folder as Traefik sees it")
    ] = None,
    default_certificate: Annotated[
        bool | None, typer.Option(help="list the default certificate", show_default="no")
    ] = None,
    traefik_api: Annotated[
        Several, typer.Option(help="APIs of known Traefiks, which no upstream may be")
    ] = None,
    listen: Annotated[
        Setting,
        typer.Option(help="the daemon's own address, nor this", show_default="127.0.0.1:8700"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the document that Traefik would get from a folder, without a daemon.

    It has the bytes that `serve` would serve. Every flag but --json is a
    setting of `serve`, with the same ROUTEBOOK_ variable. What is left out is
    said on standard error. Exits with 1 when the catalogue cannot be read.
    """
    inspection = _inspect(context.params)
    _say(map(str, inspection.left_out), sys.stderr)
    if inspection.document is None:
        raise typer.Exit(1)
    sys.stdout.buffer.write(inspection.document.body + b"\n")
    sys.stdout.flush()


def _inspect(flags: Mapping[str, Any]) -> Inspection:
    # Imported here: the packages behind it take longer than `--help` may.
    from provider.offline import Inputs, inspect
    from registry.store import utc_now

    settings = _settings([*_arguments(flags)])
    inputs = Inputs(
        data=settings.data,
        projects=settings.projects,
        certificates=settings.certificates,
        traefik_certificates=settings.traefik_certificates,
        rules=settings.rules(settings.address[1]),
        default_certificate=settings.default_certificate,
    )
    return asyncio.run(inspect(inputs, utc_now()))


def _settings(arguments: list[str]) -> Settings:
    from provider.settings import WrongSetting, read_rendering_settings

    try:
        settings = read_rendering_settings(arguments)
    except WrongSetting as error:
        _end(f"wrong setting: {error}")
    for flag, folder in (("--data", settings.data), ("--projects", settings.projects)):
        if not folder.is_dir():
            _end(f"{folder} is no folder; name another one with {flag}")
    return settings


def _arguments(flags: Mapping[str, Any]) -> Iterator[str]:
    """The flags that were given, as `serve` takes them."""
    for name, value in flags.items():
        flag = name.replace("_", "-")
        if name == "as_json" or value is None or value == [] or value == ():
            continue
        if isinstance(value, bool):
            yield f"--{flag}" if value else f"--no-{flag}"
        elif isinstance(value, list | tuple):
            yield f"--{flag}={','.join(value)}"
        else:
            yield f"--{flag}={value}"


def _json(inspection: Inspection) -> str:
    value = {
        "faults": [finding.as_json() for finding in inspection.faults],
        "warnings": [finding.as_json() for finding in inspection.warnings],
        "environments": inspection.environments,
        "workspaces": inspection.workspaces,
        "certificates": inspection.certificates,
    }
    return json.dumps(value).replace("\x7f", "\\u007f")


def _summary(inspection: Inspection) -> str:
    kinds = ("environment", "workspace", "certificate")
    counts = (inspection.environments, inspection.workspaces, inspection.certificates)
    things = ", ".join(_count(number, kind) for number, kind in zip(counts, kinds, strict=True))
    faults = len(inspection.faults)
    return f"{things}: {_count(faults, 'fault') if faults else 'no faults'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _say(lines: Iterable[str], stream: TextIO) -> None:
    """One line each; a log of CI may take no more than ASCII."""
    for line in lines:
        written = printable(line).encode(stream.encoding, "backslashreplace")
        print(written.decode(stream.encoding), file=stream)


def _end(words: str) -> NoReturn:
    _say([f"routebook: {words}"], sys.stderr)
    raise typer.Exit(2)

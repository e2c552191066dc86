"""Verbs that make records of what people have: compose files, and Traefik's own files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from registry.cli.applying import RetireOnStop, apply_records, hold_signals
from registry.cli.foreseen import DryRun
from registry.cli.terminal import AsJson, remark, say, say_json
from registry.cli.waiting import Wait, how_of
from registry.client import How

if TYPE_CHECKING:
    from registry.importers.imported import Imported

ToProject = Annotated[
    str, typer.Option("--project", "--project-id", help="the workspace that the records belong to")
]
States = Literal["planned", "active", "maintenance", "retired"]
State = Annotated[States, typer.Option("--state", "--lifecycle-state", help="of the records")]
Region = Annotated[str, typer.Option(help="host.region of the records")]
Apply = Annotated[bool, typer.Option("--apply", help="apply the records, do not print them")]


def import_compose(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="a compose file; - for stdin")],
    project_id: ToProject,
    host: Annotated[str, typer.Option("--host", help="where the stack's ports are reached")],
    provider: Annotated[str, typer.Option(help="host.provider of the records")] = "compose",
    region: Region = "local",
    ip: Annotated[str | None, typer.Option(help="host.ip; --host, where it is an address")] = None,
    state: State = "active",
    stack: Annotated[
        str | None, typer.Option(help="begins the slugs; as compose names the stack, otherwise")
    ] = None,
    env_file: Annotated[
        Path | None, typer.Option(help="variables; .env beside the file, otherwise")
    ] = None,
    apply: Apply = False,
    retire_on_stop: RetireOnStop = False,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Records of a compose file.

    Of each service that has routebook.* labels or x-routebook; as YAML that `apply` takes. What
    could not be carried over is said on standard error.
    """
    from registry.importers.compose import from_compose, stack_name
    from registry.importers.interpolation import interpolate

    _check_names(project_id, host)
    how, stay = how_of(dry_run=dry_run, wait_s=wait_s), retire_on_stop and not dry_run
    _check_flags(how, apply=apply, retire_on_stop=retire_on_stop)
    if stay:
        hold_signals()
    folder = Path.cwd() if file == "-" else Path(file).absolute().parent
    variables = _variables(env_file or folder / ".env", context.obj, asked=env_file is not None)
    try:
        compose, warnings = interpolate(_mapping_in(file), variables)
        imported = from_compose(
            compose,
            project_id=project_id,
            host=host,
            stack=stack or stack_name(compose, folder.name, variables),
            provider=provider,
            region=region,
            ip=ip,
            state=state,
        )
    except ValueError as error:
        raise typer.BadParameter(f"{file}: {error}") from error
    _deliver(context, imported, warnings, how if apply else None, stay=stay, as_json=as_json)


def import_traefik(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML of Traefik's file provider")],
    project_id: ToProject,
    provider: Annotated[str, typer.Option(help="host.provider of the records")] = "traefik",
    region: Region = "local",
    state: State = "active",
    apply: Apply = False,
    dry_run: DryRun = False,
    wait_s: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Records of a Traefik file.

    Of the routers and services of the file provider; as YAML that `apply` takes. What could not
    be carried over is said on standard error.
    """
    from registry.importers.traefik_file import from_traefik

    _check_names(project_id)
    how = how_of(dry_run=dry_run, wait_s=wait_s)
    _check_flags(how, apply=apply, retire_on_stop=False)
    try:
        imported = from_traefik(
            _mapping_in(file), project_id=project_id, provider=provider, region=region, state=state
        )
    except ValueError as error:
        raise typer.BadParameter(f"{file}: {error}") from error
    _deliver(context, imported, (), how if apply else None, as_json=as_json)


def _check_names(project_id: str, host: str | None = None) -> None:
    """What every record would have: wrong here it would leave no record, and `--prune` all."""
    from registry.names import PROJECT_ID, canonical_host

    if not re.fullmatch(PROJECT_ID, project_id):
        raise typer.BadParameter(f"--project {project_id!r} cannot name a workspace")
    try:
        canonical_host(host or "none.test")
    except ValueError as error:
        raise typer.BadParameter(f"--host: {error}") from error


def _check_flags(how: How, *, apply: bool, retire_on_stop: bool) -> None:
    for flag, given in (
        ("--retire-on-stop", retire_on_stop),
        ("--dry-run", how.dry_run),
        ("--wait", how.wait_s is not None),
    ):
        if given and not apply:
            raise typer.BadParameter(f"{flag} goes with --apply")


def _deliver(
    context: typer.Context,
    imported: Imported,
    warnings: Sequence[str],
    how: How | None,
    *,
    stay: bool = False,
    as_json: bool,
) -> None:
    """Apply the records, where it is said how, or print them."""
    for sentence in (*warnings, *imported.left_out):
        remark(sentence)
    records: list[Any] = list(imported.records)
    if how is not None:
        apply_records(context, records, how, stay=stay, as_json=as_json)
    elif as_json:
        say_json({"environments": records})
    else:
        from registry.yaml_text import dump

        say(dump({"environments": records}).rstrip("\n"))


def _mapping_in(file: str) -> Mapping[str, Any]:
    from registry.cli.declared import NotDeclared, yaml_documents

    values = [value for value, _ in yaml_documents(file)]
    if len(values) != 1 or not isinstance(values[0], dict):
        raise NotDeclared(f"{file}: not one YAML mapping")
    return values[0]


def _variables(env_file: Path, environ: Mapping[str, str], *, asked: bool) -> dict[str, str]:
    """What compose would know: the file's variables, and over them the shell's."""
    from registry.importers.interpolation import read_env

    if not env_file.is_file():
        if asked:
            raise typer.BadParameter(f"--env-file {env_file}: not there")
        return dict(environ)
    try:
        values, warnings = read_env(env_file.read_text("utf-8"), environ, env_file.name)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    for sentence in warnings:
        remark(sentence)
    return {**values, **environ}

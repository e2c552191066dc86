"""Verbs that read: list, show, routes, history, export, whoami."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from registry.cli.filters import Health, Project, RouteState, State, refuse_unknown
from registry.cli.tables import section, table
from registry.cli.terminal import (
    AsJson,
    Ref,
    advising,
    client_of,
    mark,
    remark,
    say,
    say_json,
    sheet,
)
from registry.cli.waiting import claims_nothing

_READ_ONLY = ("project", "fault", "routing", "created_at", "updated_at")


def list_environments(
    context: typer.Context,
    project_id: Project = None,
    state: State = None,
    health: Health = None,
    owner: Annotated[str | None, typer.Option(help="the owner's name or e-mail")] = None,
    q: Annotated[
        str | None, typer.Option("--q", "--search", help="a part of a name or a host name")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many at most")] = 100,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before")] = None,
    as_json: AsJson = False,
) -> None:
    """Environments, a line each."""
    filters = {"project_id": project_id, "state": state, "health": health, "owner": owner, "q": q}
    client = client_of(context)
    page = client.listed({**filters, "limit": limit, "cursor": cursor})
    if not page["environments"]:
        refuse_unknown(client, project_id=project_id)
    if as_json:
        say_json(page)
        return
    table(
        ("slug", "project", "state", "live", "health", "host", "owner"),
        [_row(e) for e in page["environments"]],
        keys=("slug", "project"),
        empty="no environment matches" if any(filters.values()) else "there is no environment",
    )
    if page["next"]:
        remark(f"{len(page['environments'])} of {page['total']}; more: --cursor {page['next']}")


def show(context: typer.Context, ref: Ref, as_json: AsJson = False) -> None:
    """Everything about one environment.

    Its record, its workspace's contacts, its routes, and whether Traefik serves them.
    """
    client = client_of(context)
    environment = client.read(ref).value
    environment_id = environment["environment_id"]
    routes = list(client.routes({"environment": environment_id}))
    routing = client.routing(environment_id)
    if as_json:
        say_json({**environment, "routes": routes, "routing": routing})
        return
    sheet(_facts(environment))
    project = environment.get("project") or {}
    section("ports", ("name", "port", "protocol", "url"), environment["ports"], below=("url",))
    section(
        "contacts of the workspace",
        ("name", "email", "slack", "role"),
        project.get("contacts", ()),
        below=("role", "slack"),
    )
    columns = ("host", "path_prefix", "entrypoint", "state", "holder")
    section("routes", columns, routes, keys=("host", "holder"))
    _show_routing(routing)
    for error in (environment.get("fault") or {}).get("errors", ()):
        remark(f"broken: {error['file']}:{error['line']}: {error['pointer']}: {error['message']}")


def list_routes(
    context: typer.Context,
    ref: Annotated[str | None, typer.Argument(metavar="[REF]", help="an id or a slug")] = None,
    project_id: Project = None,
    host: Annotated[str | None, typer.Option(help="a part of the host name")] = None,
    state: RouteState = None,
    as_json: AsJson = False,
) -> None:
    """What is routed, and to which environment."""
    filters = {"environment": ref, "project_id": project_id, "host": host, "state": state}
    client = client_of(context)
    routes = list(client.routes(filters))
    if not routes:
        refuse_unknown(client, ref=ref, project_id=project_id)
    if as_json:
        say_json({"routes": routes, "total": len(routes)})
        return
    table(
        ("host", "path_prefix", "entrypoint", "slug", "state", "holder"),
        routes,
        keys=("slug", "holder"),
        empty="no route matches" if any(filters.values()) else "nothing is routed",
    )


def history(
    context: typer.Context,
    ref: Annotated[
        str | None, typer.Argument(metavar="[REF]", help="an id or a slug; none: all of them")
    ] = None,
    since: Annotated[int, typer.Option(help="without REF: after this revision")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="how many at most")] = 100,
    as_json: AsJson = False,
) -> None:
    """Who changed what.

    Of one environment, newest first, or of all since a revision.
    """
    if ref == "":
        raise typer.BadParameter("REF is empty; leave it out for the history of all")
    with advising("`routebook history` shows what there is, or was", "not_found"):
        rows = client_of(context).history(ref, since, limit)[:limit]
    if as_json:
        say_json({"history": rows})
        return
    shown = [{**row, "changed": _pointers(row)} for row in rows]
    if ref is None and len(rows) == limit:
        remark(f"there may be more: --since {rows[-1]['revision']}")
    names = () if ref else ("environment_id",)
    table(
        ("revision", "at", "actor", "source", "action", *names, "changed"),
        shown,
        keys=("revision", "environment_id"),
        below=("changed", "source", "actor"),
        empty=f"no change after revision {since}" if since else "no change is recorded",
    )


def export(
    context: typer.Context,
    refs: Annotated[
        list[str] | None, typer.Argument(metavar="[REF]...", help="these; none: all of them")
    ] = None,
    project_id: Project = None,
    form: Annotated[Literal["yaml", "json"], typer.Option("--format")] = "yaml",
    as_json: AsJson = False,
) -> None:
    """Records as `apply` takes them back."""
    client = client_of(context)
    if refs:
        found = [client.read(ref).value for ref in refs]
    else:
        found = list(client.environments({"project_id": project_id}))
    if not found:
        refuse_unknown(client, project_id=project_id)
    for environment in found:
        if "fault" in environment:
            remark(f"{environment['slug']}: its stored record is broken; this is its last good one")
    records = [{k: v for k, v in each.items() if k not in _READ_ONLY} for each in found]
    value = {"version": 1, "environments": records}
    if as_json or form == "json":
        say_json(value)
        return
    from registry.yaml_text import dump

    say(dump(value).rstrip("\n"))


def whoami(context: typer.Context, as_json: AsJson = False) -> None:
    """Who is calling, in which role, and where."""
    client = client_of(context)
    me = {**client.me(), "url": client.url}
    if as_json:
        say_json(me)
        return
    sheet([("actor", me["actor"]), ("role", me["role"]), ("API", me["url"])])
    if me["open"]:
        say("open mode: no accounts, every local caller may read and write")


def _row(environment: Mapping[str, Any]) -> dict[str, Any]:
    fault, routing = " (broken)" if "fault" in environment else "", environment["routing"]
    return {
        "slug": environment["slug"],
        "project": environment["project_id"],
        "state": environment["lifecycle"]["state"] + fault,
        "live": None if claims_nothing(routing) else mark(routing["live"]),
        "health": environment["health"]["status"],
        "host": environment["host"]["hostname"],
        "owner": environment["owner"]["name"],
    }


def _facts(environment: Mapping[str, Any]) -> list[tuple[str, object]]:
    """Each plain field by its dotted name; what is empty is left out."""
    facts: list[tuple[str, object]] = []

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                add(f"{name}.{key}" if name else key, inner)
        elif isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
            add(name, ", ".join(map(str, value)))
        elif value not in (None, "", [], {}):
            facts.append((name, value))

    apart = ("project", "fault", "ports", "routing")
    add("", {key: value for key, value in environment.items() if key not in apart})
    return facts


def _show_routing(routing: Mapping[str, Any]) -> None:
    """The conditions, and below them each Traefik where there are several."""
    told, traefiks = ("status", "reason", "since", "message"), routing["traefiks"]
    conditions = [{"condition": name, **each} for name, each in routing["conditions"].items()]
    names = ("condition", "status", "reason")
    section("routing", ("condition", *told), conditions, keys=names, below=("message", "since"))
    if len(traefiks) > 1:
        names = ("traefik", "status", "reason")
        section("live on", ("traefik", *told), traefiks, keys=names, below=("message", "since"))
    columns = ("traefik", "router", "catches", "winner", "message")
    below = ("message", "winner", "catches")
    section("neighbours", columns, routing["neighbours"], keys=("traefik", "router"), below=below)


def _pointers(row: Mapping[str, Any]) -> str:
    """What an update changed; the times that follow it are not news."""
    pointers = [change["pointer"] for change in row["changes"]]
    news = [each for each in pointers if each != "/updated_at"]
    return ", ".join(news) if row["action"] == "updated" else ""

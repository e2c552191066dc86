"""The table of the verbs that speak to the API."""

from __future__ import annotations

from collections.abc import Callable

import typer

from registry.cli import (
    applying,
    certs,
    explaining,
    importing,
    login,
    reading,
    smoking,
    tasks,
    traefiks,
    watching,
    writing,
)

VERBS: dict[str, Callable[..., None]] = {
    "list": reading.list_environments,
    "show": reading.show,
    "create": writing.create,
    "update": writing.update,
    "delete": writing.delete,
    "apply": applying.apply,
    "export": reading.export,
    "history": reading.history,
    "revert": writing.revert,
    "confirm": writing.confirm,
    "routes": reading.list_routes,
    "traefiks": traefiks.list_traefiks,
    "watch": watching.watch,
    "explain": explaining.explain,
    "smoke": smoking.smoke,
    "import-compose": importing.import_compose,
    "import-traefik": importing.import_traefik,
    "login": login.login,
    "logout": login.logout,
    "whoami": reading.whoami,
}
GROUPS: dict[str, Callable[[], typer.Typer]] = {
    "certs": certs.certs_app,
    "tasks": tasks.tasks_app,
}


def add_verbs(app: typer.Typer) -> None:
    """Every verb, and every group of verbs, under its name."""
    for name, verb in VERBS.items():
        app.command(name)(verb)
    for name, make in GROUPS.items():
        app.add_typer(make(), name=name)

"""The table of the verbs that speak to the API."""

from __future__ import annotations

from collections.abc import Callable

import typer

from registry.cli import (
    applying,
    explaining,
    importing,
    login,
    reading,
    smoking,
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
    "watch": watching.watch,
    "explain": explaining.explain,
    "smoke": smoking.smoke,
    "import-compose": importing.import_compose,
    "import-traefik": importing.import_traefik,
    "login": login.login,
    "logout": login.logout,
    "whoami": reading.whoami,
}


def add_verbs(app: typer.Typer) -> None:
    """Every verb, under its name."""
    for name, verb in VERBS.items():
        app.command(name)(verb)

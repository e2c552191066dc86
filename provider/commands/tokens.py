"""`routebook tokens`: keys for programs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from provider.auth.access import Role
from provider.commands.book import DATA, Data, book_of, ended, say, say_closed
from registry.cli.tables import table
from registry.cli.terminal import AsJson

app = typer.Typer(
    no_args_is_help=True, help="Keys for programs, kept hashed in <data>/tokens.json."
)


@app.command()
def create(
    role: Annotated[Role, typer.Option(help="what the token may do")],
    name: Annotated[str, typer.Option(help="who or what it is for")] = "",
    days: Annotated[int | None, typer.Option(min=1, help="days until it expires")] = None,
    as_json: AsJson = False,
    data: Data = DATA,
) -> None:
    """A new token, printed this once."""
    from registry.fields import instant_text

    book, lifetime = book_of(data), timedelta(days=days) if days else None
    was_open = book.is_unused()
    with ended():
        secret, token = book.create_token(role.value, name or role.value, lifetime)
    if as_json:
        expires_at = instant_text(token.expires_at) if token.expires_at else None
        row = {"token": secret, "id": token.id, "role": token.role, "name": token.name}
        print(json.dumps({**row, "expires_at": expires_at}))
    else:
        print(secret)
    if was_open:
        say_closed(data, has_traefik_token=role is Role.TRAEFIK)


@app.command("list")
def list_tokens(as_json: AsJson = False, data: Data = DATA) -> None:
    """All tokens, logins included; not the tokens themselves."""
    from registry.fields import instant_text

    with ended():
        tokens = book_of(data).tokens()
    rows = [
        {
            "id": token.id,
            "name": token.email or token.name,
            "role": token.role,
            "expires_at": instant_text(token.expires_at) if token.expires_at else None,
        }
        for token in tokens
    ]
    if as_json:
        print(json.dumps(rows))
    else:
        table(("id", "name", "role", "expires_at"), rows, keys=("id",), empty="there is no token")


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(help="its id, as `tokens list` shows it")],
    as_json: AsJson = False,
    data: Data = DATA,
) -> None:
    """Takes a token away, at once."""
    with ended("no token has the id {!r}; see `routebook tokens list`"):
        book_of(data).revoke(token_id)
    say(f"{token_id} is revoked", {"id": token_id, "revoked": True}, as_json=as_json)

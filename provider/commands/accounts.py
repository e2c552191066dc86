"""`routebook accounts`: who may log in."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from provider.auth.access import Role
from provider.commands.book import DATA, Data, book_of, ended, say, say_closed
from registry.cli.tables import table
from registry.cli.terminal import AsJson

app = typer.Typer(no_args_is_help=True, help="Who may log in, kept in <data>/accounts.json.")

_STDIN = typer.Option("--password-stdin", help="read the password from standard input")
_UNKNOWN = "no account has the address {!r}; see `routebook accounts list`"
Email = Annotated[str, typer.Argument(help="the e-mail address of the account")]
FromStdin = Annotated[bool, _STDIN]


@app.command()
def add(
    email: Email,
    role: Annotated[Role, typer.Option(help="what the account may do")],
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
    data: Data = DATA,
) -> None:
    """A new account; asks for its password."""
    book = book_of(data)
    was_open = book.is_unused()
    with ended():
        book.add_account(email, role.value, _password(password_stdin))
    row = {"email": email, "role": role.value}
    say(f"{email} may log in as {role.value}", row, as_json=as_json)
    if was_open:
        say_closed(data)


@app.command("list")
def list_accounts(as_json: AsJson = False, data: Data = DATA) -> None:
    """All accounts; no hashes."""
    with ended():
        accounts = book_of(data).accounts()
    rows = [{"email": a.email, "role": a.role, "disabled": a.disabled} for a in accounts]
    if as_json:
        print(json.dumps(rows))
    else:
        table(("email", "role", "disabled"), rows, keys=("email",), empty="there is no account")


@app.command()
def disable(email: Email, as_json: AsJson = False, data: Data = DATA) -> None:
    """Ends the account's logins at once; it stays in the list."""
    with ended(_UNKNOWN):
        book_of(data).change_account(email, disabled=True)
    say(f"{email} is disabled", {"email": email, "disabled": True}, as_json=as_json)


@app.command()
def passwd(
    email: Email,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
    data: Data = DATA,
) -> None:
    """A new password; ends the account's logins."""
    from provider.auth.passwords import hash_password

    with ended(_UNKNOWN):
        book_of(data).change_account(email, password=hash_password(_password(password_stdin)))
    say(f"{email} has a new password", {"email": email}, as_json=as_json)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password

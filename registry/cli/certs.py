"""`routebook certs`: the certificates of environments, over the REST API."""

from __future__ import annotations

import typer

from registry.cli import certificates_checking, certificates_issuing

app = typer.Typer(no_args_is_help=True, help="Certificates: issue, trust and check them.")

app.command("issue")(certificates_issuing.issue)
app.command("trust")(certificates_issuing.trust)
app.command("check")(certificates_checking.check)

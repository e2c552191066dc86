"""`routebook certs`: the list of certificates, as a process against a running daemon."""

from __future__ import annotations

from tests.api.bodies import routed
from tests.api.steps import create
from tests.api.test_certificates import TLS, made
from tests.cli.conftest import Shell
from tests.daemons import Daemon
from tests.unit.provider.observe.pems import put


async def test_certs_is_a_table_with_a_line_a_certificate(daemon: Daemon, shell: Shell) -> None:
    put(daemon.folders.certificates, "app", made("app.test"), mode=0o600)
    put(daemon.folders.certificates, "old", made("old.test", days=-2, begins_days=-9))
    await create(daemon, "one", **routed("app.test", tls=TLS))
    ended = await shell("certs")
    assert (ended.code, ended.err) == (0, "")
    head, app, old = ended.out.splitlines()
    columns = ["FILE", "STATUS", "NAMES", "ISSUER", "ENDS", "DAYS", "KEY", "USED", "BY", "LOADED"]
    assert head.split() == columns
    assert app.split()[:4] == ["app.crt", "ok", "app.test", "CN=app.test"]
    assert app.split()[-3:] == ["0600", "one", "-"]
    assert old.split()[1] == "expired"
    assert "0644, for all to read" in old
    assert (await shell("certs", "list")).out == ended.out


async def test_what_is_wrong_is_on_standard_error(daemon: Daemon, shell: Shell) -> None:
    put(daemon.folders.certificates, "app", (made("app.test")[0], made("app.test")[1]))
    put(daemon.folders.certificates, "b", made("b.test"))
    pair = {"cert_file": "b.crt", "key_file": "b.key"}
    await create(daemon, "b", **routed("c.test", tls=pair))
    gone = {"cert_file": "gone.crt", "key_file": "gone.key"}
    await create(daemon, "gone", **routed("gone.test", tls=gone))
    ended = await shell("certs")
    assert "routebook: gone.crt is not there\n" in ended.err
    assert "app.crt: app.key is not the key of app.crt" in ended.err
    assert "b.crt: not for c.test" in ended.err
    assert "another's" in ended.out


async def test_json_is_the_answer_of_the_api(daemon: Daemon, shell: Shell) -> None:
    put(daemon.folders.certificates, "app", made("app.test"))
    answer = (await daemon.call("GET", "/api/certificates")).value
    for words in (("certs", "--json"), ("certs", "list", "--json")):
        assert (await shell(*words)).value == answer
    assert (await shell("certs", "--json", "list")).code == 2

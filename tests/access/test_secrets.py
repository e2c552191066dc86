"""No secret ever comes out: not in logs, problems, the history, the document or the lists."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provider.auth.access import Role
from provider.auth.book import AccountBook
from provider.observe.default_certificate import self_signed
from registry.store import utc_now
from tests.access.callers import basic, bearer, book_of, quick_hash, write_accounts
from tests.access.processes import routebook
from tests.api.steps import ALL
from tests.conftest import StartDaemon
from tests.daemons import Answer, Daemon, Folders
from tests.kept_files import text_of
from tests.safety.conftest import Log
from tests.safety.records import record

PASSWORD, WRONG = "PLANTED-password-of-ann", "PLANTED-wrong-password"
FILE_TOKEN = "PLANTED-token-of-a-file"
ENV_VALUE = "PLANTED-value-of-a-variable"
USER_INFO = "PLANTED-user-of-traefik"
ANN = "operator@x.test"


class Planted:
    """The secrets of a daemon, and everything that came out of it."""

    def __init__(self, daemon: Daemon, secrets: dict[str, str], log: Log) -> None:
        self.daemon, self.secrets, self._log = daemon, secrets, log
        self.answers: list[Answer] = []

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """One request; its answer is kept."""
        answer = await self.daemon.call(method, path, **more)
        self.answers.append(answer)
        return answer

    def came_out(self, *more: str) -> str:
        """All that answers, the log and these texts said."""
        answers = [f"{dict(each.headers)} {each.content.decode()}" for each in self.answers]
        return "\n".join([*answers, *self._log.lines, *more])

    def assert_none_in(self, text: str) -> None:
        """Asserts that no secret, nor the hash of one, is in a text."""
        assert "PLANTED" not in text
        assert [name for name, secret in self.secrets.items() if secret in text] == []


@pytest.fixture
def key_text(folders: Folders) -> str:
    """The middle of a private key that a record names."""
    now = datetime.now(UTC)
    certificate, key = self_signed(["dev.test"], now, now + timedelta(days=90))
    (folders.certificates / "dev.crt").write_bytes(certificate)
    (folders.certificates / "dev.key").write_bytes(key)
    return key.decode().splitlines()[2]


@pytest.fixture
async def planted(
    folders: Folders, start_daemon: StartDaemon, key_text: str, log: Log, tmp_path: Path
) -> Planted:
    """A daemon with a secret in every place that may hold one."""
    write_accounts(folders.data, ANN)
    path = folders.data / "accounts.json"
    path.write_text(path.read_text().replace(quick_hash(), quick_hash(PASSWORD)))
    book = book_of(folders.data)
    operator, token = book.create_token("operator", "ci")
    (tmp_path / "token").write_text(FILE_TOKEN)
    spec = folders.projects / "nightshift" / "project.json"
    project = json.loads(spec.read_text())
    variable = {"name": "KEY", "secret": True, "value": ENV_VALUE, "default": ENV_VALUE}
    spec.write_text(json.dumps({**project, "env_vars": [variable], "secret": ENV_VALUE}))
    daemon = await start_daemon(
        "--hold-s=0",
        f"--traefik-token-file={tmp_path / 'token'}",
        f"--traefik-api=http://{USER_INFO}:{USER_INFO}@127.0.0.1:8080",
    )
    secrets = {
        "operator": operator,
        "its digest": token.sha256,
        "the password's hash": quick_hash(PASSWORD),
        "the key": key_text,
    }
    return Planted(daemon, secrets, log)


async def use(planted: Planted) -> None:
    """Everything that people do, the wrong things too."""
    login = {"email": ANN, "password": PASSWORD}
    answer = await planted.daemon.call("POST", "/api/auth/login", json=login)
    planted.secrets["login"] = answer.value["token"]
    ways = (bearer(planted.secrets["operator"]), basic(planted.secrets["login"]))
    for number, who in enumerate(ways):
        tls = {"cert_file": "dev.crt", "key_file": "dev.key"}
        metadata = {"router": {"service_url": "http://10.0.0.1:9000", "tls": tls}}
        host = {"hostname": f"dev{number}.test"}
        body = record(f"dev{number}", metadata=metadata, host=host)
        assert (await planted.call("POST", ALL, json=body, headers=who)).status == 201
        for path in (ALL, f"{ALL}/dev0", f"{ALL}/dev0/history", "/api/history", "/api/auth/me",
                     "/api/projects", "/api/projects/nightshift", "/api/health",
                     "/api/openapi.json", "/metrics"):  # fmt: skip
            assert (await planted.call("GET", path, headers=who)).status == 200
        await planted.call("PATCH", f"{ALL}/dev{number}", json={"name": 7}, headers=who)
    assert (await planted.call("GET", "/traefik/config", headers=bearer(FILE_TOKEN))).status == 200


async def misuse(planted: Planted) -> None:
    """Secrets where they do not belong."""
    login, json_type = "/api/auth/login", {"Content-Type": "application/json"}
    for body in (
        {"email": ANN, "password": WRONG},
        {"email": ANN, "password": [WRONG]},
        {"email": ANN, "password": WRONG, "again": WRONG},
        {"email": ANN, "password": WRONG * 100},
        [WRONG],
        WRONG,
    ):
        assert (await planted.call("POST", login, json=body)).status in (401, 422)
    for text in (f'{{"password": "{WRONG}', f'{{"password": "{WRONG}", "password": "{WRONG}"}}'):
        answer = await planted.call("POST", login, data=text, headers=json_type)
        assert answer.status == 400
    for headers in (bearer(WRONG), basic(WRONG), {"Authorization": f"Odd {WRONG}"}, bearer("é")):
        assert (await planted.call("GET", ALL, headers=headers)).status == 401
    answer = await planted.call("GET", f"{ALL}?limit={WRONG}", headers=bearer(FILE_TOKEN))
    assert answer.status == 403
    answer = await planted.call("POST", ALL, json={}, headers=bearer(FILE_TOKEN))
    assert answer.status == 403


async def test_answers_and_the_log_hold_no_secret(
    planted: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await use(planted)
    await misuse(planted)
    assert len(planted.answers) > 30
    planted.assert_none_in(planted.came_out(caplog.text))


async def test_what_is_kept_on_disk_is_hashes_alone(planted: Planted) -> None:
    await use(planted)
    await misuse(planted)
    await planted.daemon.stop()  # else files come and go
    data = planted.daemon.folders.data
    files = [path for path in data.rglob("*") if path.is_file() and "certs" not in path.parts]
    kept = {path.name: text_of(path) for path in files}
    assert {"accounts.json", "tokens.json", "history.jsonl", "document.json.gz"} <= kept.keys()
    for name in ("operator", "login"):
        assert not any(planted.secrets[name] in content for content in kept.values())
    assert not any("PLANTED" in content for content in kept.values())
    rest = "".join(
        text for name, text in kept.items() if name not in ("accounts.json", "tokens.json")
    )
    planted.assert_none_in(rest)


async def test_the_lists_of_accounts_and_tokens_hold_no_secret(planted: Planted) -> None:
    await use(planted)
    data = f"--data={planted.daemon.folders.data}"
    for words in (("accounts", "list"), ("tokens", "list")):
        for more in ((), ("--json",)):
            ended = await routebook(*words, *more, data)
            assert ended.code == 0
            planted.assert_none_in(ended.out + ended.err)
            assert "$argon2" not in ended.out


async def test_a_settings_refusal_holds_no_secret(folders: Folders) -> None:
    ended = await routebook(
        "serve", *folders.flags, f"--traefik-api=ftp://{USER_INFO}:{USER_INFO}@127.0.0.1"
    )
    assert ended.code == 2
    assert USER_INFO not in ended.out + ended.err


@pytest.mark.parametrize("name", ["accounts.json", "tokens.json"])
async def test_a_book_that_cannot_be_read_is_not_quoted(planted: Planted, name: str) -> None:
    path = planted.daemon.folders.data / name
    path.write_text(path.read_text()[:-5] + "oops")
    login = {"email": ANN, "password": PASSWORD}
    assert (await planted.call("POST", "/api/auth/login", json=login)).status == 503
    await planted.call("GET", ALL, headers=bearer(planted.secrets["operator"]))
    ended = await routebook(name.partition(".")[0], "list", f"--data={path.parent}")
    assert ended.code == 1
    planted.assert_none_in(planted.came_out(ended.out, ended.err))
    assert "$argon2" not in planted.came_out(ended.out, ended.err)


def test_what_stands_for_a_secret_in_our_hands_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(FILE_TOKEN)
    book = AccountBook(tmp_path, utc_now, {Role.OPERATOR: tmp_path / "token"})
    identity = book.identify(FILE_TOKEN)
    assert identity is not None
    assert FILE_TOKEN not in f"{identity!r} {book!r}"

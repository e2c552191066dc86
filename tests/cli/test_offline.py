"""`routebook check` and `routebook render` from a shell, beside a daemon and without one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provider.demo.sample import copy_sample
from provider.observe.default_certificate import self_signed
from tests.api.dry_runs import is_surveyed
from tests.conftest import StartDaemon
from tests.daemons import ROOT, Folders
from tests.records import GONE, NEW, record, router
from tests.unit.provider.observe.pems import put

TLS = {"tls": {"cert_file": "app.crt", "key_file": "app.key"}}


def run(
    *arguments: str, cwd: Path = ROOT, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """`routebook` with these arguments, in this folder."""
    return subprocess.run(
        [sys.executable, "-m", "provider", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        capture_output=True,
        check=False,
        timeout=60,
    )


def flags(folders: Folders) -> tuple[str, ...]:
    """The two folders."""
    return "--data", str(folders.data), "--projects", str(folders.projects)


def certify(folders: Folders, *names: str) -> None:
    """The pair that TLS names, good for 90 days."""
    now = datetime.now(UTC)
    pair = self_signed(list(names), now - timedelta(hours=1), now + timedelta(days=90))
    put(folders.certificates, "app", pair, mode=0o600)


def routed(slug: str, **fields: Any) -> dict[str, Any]:
    """A record with a router, named `<slug>.test`."""
    return record(slug=slug, **router(**fields))


def listing(root: Path) -> dict[str, tuple[int, int, int]]:
    """Everything below a folder, with mode, size and time of change."""
    return {
        str(path): (status.st_mode, status.st_size, status.st_mtime_ns)
        for path in [root, *root.rglob("*")]
        if not is_surveyed(path) and path.name != "state"  # a survey of the daemon beside us
        for status in [path.lstat()]
    }


def test_the_sample_of_the_repository_is_without_faults() -> None:
    done = run("check")
    assert done.stdout == b""
    assert done.returncode == 0
    last = done.stderr.decode().splitlines()[-1]
    assert last == "6 environments, 2 workspaces, 1 certificate: no faults"


def test_the_sample_with_its_certificate_has_no_more_than_a_warning(tmp_path: Path) -> None:
    copy_sample(tmp_path, (9001, 9002))
    done = run("check", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
    warning, summary = done.stderr.decode().splitlines()
    assert "nightshift-dev.crt ends on" in warning, "it is made for a week"
    assert summary == "6 environments, 2 workspaces, 1 certificate: no faults"


def test_a_fault_is_one_line_that_an_editor_opens_and_the_exit_code_is_1(
    folders: Folders,
) -> None:
    folders.hand_write(record(host={"hostname": "two words"}))
    done = run("check", cwd=folders.data.parent)
    assert done.returncode == 1
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith("data/environments.json:7:17: /host/hostname: ")
    assert done.stderr == b"1 environment, 2 workspaces, 0 certificates: 1 fault\n"


def test_the_fault_of_a_workspace_is_a_line_with_its_own_file(folders: Folders) -> None:
    (folders.projects / "storefront" / "project.json").write_text('{"id": "storefront"}\n')
    done = run("check", cwd=folders.data.parent)
    assert done.returncode == 1
    assert done.stdout == b"projects/storefront/project.json:1:1: /name: Field required\n"


def test_a_warning_is_a_line_of_its_own_and_no_fault(folders: Folders) -> None:
    certify(folders, "other.test")
    folders.hand_write(routed("dev", **TLS))
    done = run("check", *flags(folders))
    assert (done.returncode, done.stdout) == (0, b"")
    warning, summary = done.stderr.decode().splitlines()
    assert warning.startswith(f"warning: {folders.catalogue}:")
    assert warning.endswith(": /metadata/router/tls/cert_file: app.crt is not for dev.test")
    assert summary == "1 environment, 2 workspaces, 1 certificate: no faults"


def test_as_json_check_prints_one_value_and_nothing_else(folders: Folders) -> None:
    certify(folders, "other.test")
    folders.hand_write(routed("dev", **TLS), record(slug="two", name=""))
    done = run("check", "--json", *flags(folders))
    assert (done.returncode, done.stderr) == (1, b"")
    value = json.loads(done.stdout)
    (warning,) = value.pop("warnings")
    (fault,) = value.pop("faults")
    assert value == {"environments": 2, "workspaces": 2, "certificates": 1}
    assert fault == {
        "file": str(folders.catalogue),
        "line": fault["line"],
        "column": 11,
        "pointer": "/name",
        "message": "must be a text that is not blank",
        "code": "invalid_record",
        "environment": "env-two",
    }
    assert warning.keys() == fault.keys()
    assert (warning["code"], warning["environment"]) == ("certificate_not_for_host", "env-dev")


def test_as_json_a_folder_without_faults_has_empty_lists(folders: Folders) -> None:
    done = run("check", "--json", *flags(folders))
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "faults": [],
        "warnings": [],
        "environments": 0,
        "workspaces": 2,
        "certificates": 0,
    }


@pytest.mark.parametrize("verb", ["check", "render"])
@pytest.mark.parametrize("missing", ["data", "projects"])
def test_a_folder_that_is_missing_is_wrong_usage(folders: Folders, verb: str, missing: str) -> None:
    shutil.rmtree(folders.data.parent / missing)
    done = run(verb, cwd=folders.data.parent)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"{missing} is no folder; name another one with --{missing}" in done.stderr.decode()
    assert not (folders.data.parent / missing).exists()


@pytest.mark.parametrize(
    ("arguments", "environ", "named"),
    [
        (["check", "data"], {}, "unexpected extra argument"),
        (["check", "--hold-s", "1"], {}, "--hold-s"),
        (["render", "--hold-s", "1"], {}, "--hold-s"),
        (["render", "--listen", "8700"], {}, "wrong setting: listen"),
        (["render", "--traefik-api", "nowhere"], {}, "wrong setting: traefik_api"),
        (["render", "--cert-resolver", ""], {}, "wrong setting: cert_resolver"),
        (["check"], {"ROUTEBOOK_MIDDLEWARE_PROVIDER": "!"}, "wrong setting: middleware_provider"),
        (["check"], {"ROUTEBOOK_TLS_ENTRYPONITS": "web"}, "TLS_ENTRYPONITS is no setting"),
    ],
)
def test_wrong_usage_exits_with_2_and_is_named(
    folders: Folders, arguments: list[str], environ: dict[str, str], named: str
) -> None:
    done = run(*arguments, cwd=folders.data.parent, environ=environ)
    assert (done.returncode, done.stdout) == (2, b"")
    said = done.stderr.decode()
    assert named in said
    assert "Traceback" not in said


def test_settings_of_the_daemon_alone_are_not_read(folders: Folders) -> None:
    environ = {"ROUTEBOOK_OPERATOR_TOKEN_FILE": "/nowhere", "ROUTEBOOK_HOLD_S": "long"}
    assert run("check", *flags(folders), environ=environ).returncode == 0


def test_check_judges_by_the_settings_in_the_environment(folders: Folders) -> None:
    folders.hand_write(routed("dev", service_url="http://10.0.0.9:8080"))
    environ = {"ROUTEBOOK_TRAEFIK_API": "http://10.0.0.9:8080"}
    done = run("check", *flags(folders), environ=environ)
    assert done.returncode == 1
    assert b"/metadata/router/service_url: http://10.0.0.9:8080 is the API" in done.stdout


def test_the_folders_may_be_named_by_the_environment(folders: Folders) -> None:
    folders.hand_write(record(), record(slug="two"))
    environ = {"ROUTEBOOK_DATA": str(folders.data), "ROUTEBOOK_PROJECTS": str(folders.projects)}
    assert run("check", environ=environ).stderr.startswith(b"2 environments, 2 workspaces")


def test_no_text_of_a_record_reaches_the_terminal_raw(folders: Folders) -> None:
    evil = "\x1b]0;owned\x07\x9b31m\x7f\u202e\n"
    workspace = folders.projects / "a\x1bb"
    workspace.mkdir()
    (workspace / "project.json").write_text("{}")
    folders.hand_write(
        record(**{evil: 1}), record(slug=evil), record(slug="two", name=7, project_id=evil)
    )
    for arguments in (["check"], ["check", "--json"], ["render"]):
        done = run(*arguments, *flags(folders))
        for stream in (done.stdout, done.stderr):
            text = stream.decode().replace("\n", "")
            assert text.isprintable(), (arguments, text)
        assert b"\x7f" not in done.stdout
    lines = run("check", *flags(folders)).stdout.decode().splitlines()
    assert any(r"\x1b]0;owned\x07\x9b31m\x7f\u202e\n" in line for line in lines)
    assert lines[-1].startswith(rf"{folders.projects}/a\x1bb/project.json:1:1: ")


def test_a_log_that_takes_ascii_only_gets_every_line(folders: Folders) -> None:
    folders.hand_write(record(**{"größe": 1}))
    environ = {"PYTHONIOENCODING": "ascii"}
    done = run("check", *flags(folders), environ=environ)
    assert done.returncode == 1
    assert rb": /gr\xf6\xdfe: unknown key" in done.stdout


@pytest.mark.parametrize("verb", ["check", "render"])
def test_a_pipe_that_is_closed_early_makes_no_noise(folders: Folders, verb: str) -> None:
    folders.hand_write(routed("dev"), record(slug="two", name=""))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "provider", verb, *flags(folders)],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_render_prints_the_document_and_says_what_is_left_out(folders: Folders) -> None:
    folders.hand_write(
        routed("dev"), routed("late", hostnames=["dev.test"]), record(slug="two", name="")
    )
    done = run("render", cwd=folders.data.parent)
    assert done.returncode == 0
    assert done.stdout.endswith(b"}\n")
    routers = json.loads(done.stdout)["http"]["routers"]
    assert [router["service"] for router in routers.values()] == ["env-dev"]
    lost, broken = done.stderr.decode().splitlines()
    assert ": /metadata/router: " not in lost
    assert "env-late (late) loses a claim: dev.test/ on websecure is held by env-dev" in lost
    assert ": /name: must be a text that is not blank" in broken
    assert all(line.startswith("data/environments.json:") for line in (lost, broken))
    assert run("render", "--json", cwd=folders.data.parent).stdout == done.stdout


def test_render_of_an_unreadable_catalogue_prints_nothing_and_exits_with_1(
    folders: Folders,
) -> None:
    folders.catalogue.write_text("[\n  {,\n]")
    done = run("render", cwd=folders.data.parent)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"data/environments.json:2:4: ")


RENDERING = (
    *("--tls-entrypoints", "web-tls,websecure", "--cert-resolver", "le"),
    *("--middleware-provider", "kubernetescrd", "--servers-transport", "internal-ca@file"),
    *("--traefik-certs-dir", "/certs", "--default-certificate"),
    *("--traefik-api", "http://10.0.0.9:8080"),
)


def fill(folders: Folders) -> None:
    """Records in which every setting of rendering has a say, and some that are left out."""
    certify(folders, "dev.test")
    folders.hand_write(
        routed("dev", **TLS, middlewares=["auth"], entrypoints=["web", "web-tls"]),
        routed("two", service_url="https://10.0.0.1:9443/base", path_prefix="/app"),
        routed("three", service_url="http://10.0.0.9:8080"),
        record(slug="late", created_at=NEW, **router(hostnames=["two.test"], path_prefix="/app")),
        record(slug="hand", environment_id=GONE, owner=GONE, created_at=GONE, **router()),
        record(slug="broken", name=""),
        record(slug="lost", project_id="none", **router(tls={"domains": ["*.lost.test"]})),
        routed("torn", tls={"cert_file": "app.crt", "key_file": "none.key"}),
    )


async def test_render_prints_the_bytes_that_a_daemon_serves(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    fill(folders)
    daemon = await start_daemon(*RENDERING)
    served = (await daemon.call("GET", "/traefik/config", params={"hold": "0"})).content
    rendered = run("render", *flags(folders), *RENDERING)
    assert rendered.returncode == 0
    assert rendered.stdout == served + b"\n"
    for part in (b"certificates", b"defaultCertificate", b"certResolver", b"serversTransport"):
        assert part in served


async def test_render_knows_what_a_daemon_will_serve_before_there_is_one(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    fill(folders)
    flagged = tuple(flag for flag in RENDERING if flag != "--default-certificate")
    environ = {"ROUTEBOOK_CERT_RESOLVER": "other", "ROUTEBOOK_TLS_ENTRYPOINTS": "web-tls websecure"}
    before = listing(folders.data.parent)
    rendered = run("render", *flags(folders), *flagged[2:], environ=environ).stdout
    assert listing(folders.data.parent) == before
    daemon = await start_daemon(*flagged)
    served = (await daemon.call("GET", "/traefik/config", params={"hold": "0"})).content
    assert rendered == served + b"\n"


async def test_both_verbs_work_beside_a_daemon_and_leave_no_trace(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    certify(folders, "dev.test")
    folders.hand_write(routed("dev", **TLS))
    daemon = await start_daemon()
    answer = await daemon.call("GET", "/traefik/config", params={"hold": "0"})
    before = listing(folders.data.parent)
    assert run("check", *flags(folders)).returncode == 0
    rendered = run("render", *flags(folders)).stdout
    assert rendered == answer.content + b"\n"
    assert listing(folders.data.parent) == before


def test_nothing_is_written_where_there_is_no_daemon(folders: Folders) -> None:
    fill(folders)
    before = listing(folders.data.parent)
    assert run("check", *flags(folders)).returncode == 1
    assert run("check", "--json", *flags(folders)).returncode == 1
    assert run("render", *flags(folders), *RENDERING).returncode == 0
    assert listing(folders.data.parent) == before

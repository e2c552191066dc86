"""Settings: from flags and from the environment; what is misspelt is not passed over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provider.settings import Settings, WrongSetting, read_settings


def given(*flags: str) -> Settings:
    """The settings of these flags, in an empty environment."""
    return read_settings(flags, environ={})


def wrong(*flags: str) -> str:
    """What is said of flags that are refused."""
    with pytest.raises(WrongSetting) as raised:
        given(*flags)
    return str(raised.value)


@pytest.fixture
def setenv(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets environment variables."""

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_the_defaults_are_those_of_the_design() -> None:
    settings = given()
    assert settings.address == ("127.0.0.1", 8700)
    assert (settings.data, settings.projects) == (Path("data"), Path("projects"))
    assert settings.tls_entrypoints == ["websecure"]
    assert (settings.cert_resolver, settings.servers_transport) == (None, None)
    assert settings.middleware_provider == "file"
    assert settings.default_certificate is False
    assert (settings.hold_s, settings.stale_health_s) == (4.0, 86_400.0)
    assert settings.certificates == Path("data/router/certs")


def test_a_setting_is_read_from_the_environment(setenv: Any) -> None:
    setenv(ROUTEBOOK_LISTEN="[::1]:9", ROUTEBOOK_HOLD_S="2.5", ROUTEBOOK_DEFAULT_CERTIFICATE="true")
    settings = read_settings()
    assert settings.address == ("::1", 9)
    assert settings.hold_s == 2.5
    assert settings.default_certificate is True


def test_a_flag_goes_before_the_environment(setenv: Any) -> None:
    setenv(ROUTEBOOK_DATA="from-environment", ROUTEBOOK_PROJECTS="from-environment")
    settings = read_settings(["--data", "from-flag"])
    assert (settings.data, settings.projects) == (Path("from-flag"), Path("from-environment"))


@pytest.mark.parametrize(
    "name", ["ROUTEBOOK_LISTN", "ROUTEBOOK_TLS_ENTRYPOINT", "ROUTEBOOK_", "ROUTEBOOK_HOLD"]
)
def test_a_misspelt_variable_is_an_error_that_lists_the_right_ones(name: str) -> None:
    with pytest.raises(WrongSetting, match=f"{name} is no setting") as raised:
        read_settings([], environ={name: "1"})
    assert "ROUTEBOOK_LISTEN" in str(raised.value)


@pytest.mark.parametrize(
    "name",
    [
        *("ROUTEBOOK_SERVICE_HOST", "ROUTEBOOK_SERVICE_PORT", "ROUTEBOOK_SERVICE_PORT_HTTP"),
        *("ROUTEBOOK_PORT", "ROUTEBOOK_PORT_8700_TCP", "ROUTEBOOK_PORT_8700_TCP_ADDR"),
    ],
)
def test_what_kubernetes_sets_beside_a_service_is_passed_over(name: str) -> None:
    read_settings([], environ={name: "tcp://10.0.0.1:8700"})


def test_variables_of_others_are_no_business_of_ours() -> None:
    read_settings([], environ={"PATH": "/bin", "ROUTEBOOKS_LISTN": "1", "MY_ROUTEBOOK_X": "1"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("websecure", ["websecure"]),
        ("websecure,https", ["websecure", "https"]),
        (" websecure , https ", ["websecure", "https"]),
        ("websecure https", ["websecure", "https"]),
        (",,", []),
        ("", []),
    ],
)
def test_a_list_is_separated_by_commas_or_spaces(text: str, words: list[str], setenv: Any) -> None:
    setenv(ROUTEBOOK_TLS_ENTRYPOINTS=text, ROUTEBOOK_ALLOWED_HOSTS=text)
    settings = read_settings()
    assert settings.tls_entrypoints == words
    assert settings.allowed_hosts == words


def test_a_list_may_be_given_as_a_flag() -> None:
    assert given("--tls-entrypoints", "a,b").tls_entrypoints == ["a", "b"]
    urls = "http://127.0.0.1:8080,https://traefik.test"
    assert given("--traefik-api", urls).traefik_api == urls.split(",")


def test_an_unknown_flag_is_an_error() -> None:
    assert "listn" in wrong("--listn", "127.0.0.1:1")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        *(("--hold-s", "x"), ("--hold-s", "-1"), ("--hold-s", "61"), ("--stale-health-s", "0")),
        ("--middleware-provider", ""),
    ],
)
def test_a_wrong_value_is_an_error_that_names_its_setting(flag: str, value: str) -> None:
    assert flag.removeprefix("--").replace("-", "_") in wrong(flag, value)


@pytest.mark.parametrize("listen", ["", "8700", ":8700", "localhost", "127.0.0.1:x", "[::1]"])
def test_an_address_has_a_host_and_a_port(listen: str) -> None:
    assert "listen" in wrong(f"--listen={listen}")


def test_a_port_is_at_most_65535() -> None:
    assert given("--listen=127.0.0.1:65535").address[1] == 65535
    assert given("--listen=127.0.0.1:0").address[1] == 0
    assert "listen" in wrong("--listen=127.0.0.1:65536")


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"])
def test_a_loopback_address_may_be_listened_on_without_accounts(listen: str) -> None:
    assert given(f"--listen={listen}").address[1] == 1


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "traefik.test", "ftp://traefik.test", "http://"])
def test_the_api_of_a_traefik_is_a_url(url: str) -> None:
    assert "traefik_api" in wrong("--traefik-api", url)


def test_a_password_in_the_url_of_a_traefik_is_not_repeated() -> None:
    assert "secret" not in wrong("--traefik-api", "ftp://me:secret@traefik.test")


@pytest.mark.parametrize("url", ["http://[", "http://traefik.test:99999"])
def test_a_url_of_a_traefik_that_no_parser_takes_is_a_wrong_setting(url: str) -> None:
    assert "traefik_api" in wrong("--traefik-api", url)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:123/secret@traefik.test",
        "http://me:123#secret@traefik.test",
        "http://me:123?secret@traefik.test",
        "http://me:sec/ret@traefik.test",
        "http://me%3Asecret:x@traefik.test",
    ],
)
def test_a_password_that_would_be_cut_and_shown_is_a_wrong_setting(url: str) -> None:
    said = wrong("--traefik-api", url)
    assert "traefik_api" in said
    assert "secret" not in said


@pytest.mark.parametrize("user", ["me:s%2Fcret@", "me@", ":token@", ""])
def test_the_url_of_a_traefik_may_have_user_information(user: str) -> None:
    url = f"http://{user}traefik.test:8080/prefix/"
    assert given("--traefik-api", url).traefik_api == [url]


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        given().listen = "127.0.0.1:1"  # type: ignore[misc]


def test_what_is_outside_is_looked_at_every_minute_by_the_resolvers_of_the_system() -> None:
    settings = given()
    assert (settings.survey_s, settings.dns_server) == (60.0, None)
    assert settings.points_of_entry == frozenset()


def test_the_addresses_of_traefik_are_spelled_as_dns_answers_are() -> None:
    settings = given("--traefik-addresses", "192.0.2.7, 2001:DB8:0::7")
    assert settings.points_of_entry == {"192.0.2.7", "2001:db8::7"}


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--dns-server", "192.0.2.1"),
        ("--dns-server", "ns.test:53"),
        ("--dns-server", "::1:53"),
        ("--traefik-addresses", "traefik.test"),
        ("--traefik-addresses", "192.0.2.1,[::1]"),
        ("--survey-s", "0.5"),
        ("--survey-s", "86401"),
    ],
)
def test_a_wrong_setting_of_the_survey_is_named(flag: str, value: str) -> None:
    assert flag.strip("-").replace("-", "_") in wrong(flag, value)


def test_a_name_server_may_be_on_ipv6() -> None:
    assert given("--dns-server", "[::1]:5353").dns_server == "[::1]:5353"


@pytest.mark.parametrize("flag", ["--data", "--projects"])
def test_a_file_is_no_folder(tmp_path: Path, flag: str) -> None:
    (file := tmp_path / "README.md").touch()
    assert f"{file} is no folder" in wrong(flag, str(file))


def test_the_log_can_say_which_folders_they_are(tmp_path: Path) -> None:
    (workspace := tmp_path / "projects" / "one").mkdir(parents=True)
    (workspace / "project.json").touch()
    settings = given("--data", str(tmp_path / "data"), "--projects", str(tmp_path / "projects"))
    assert settings.folders == {
        "data": str(tmp_path / "data"), "projects": str(tmp_path / "projects"), "workspaces": 1,
    }  # fmt: skip

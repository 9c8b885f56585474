"""Where settings come from, and that secrets stay where they are."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from payamak.cli.app import app
from payamak.cli.exits import SettingsError
from payamak.cli.settings import SETTINGS, GatewayName, read_settings, variable_of
from support.command import Command
from support.printed import EMULATOR
from support.sentinels import KEY, PASSWORD, PHONE, TEXT, USERNAME, leaks

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
GHASEDAK = GatewayName.GHASEDAK


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("PAYAMAK", "XDG")):
            monkeypatch.delenv(name)
    for name in ("HOME", "APPDATA", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))


def write(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_USERNAME", USERNAME)
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_PASSWORD", PASSWORD)
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_BASE_URL", "https://panel.example")
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_ALLOW_HTTP", "yes")
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_TIMEOUT", "7")
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_PROXY", "")
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_SENDER", "3000")
    found = read_settings(GatewayName.OPGATEWAY, None, emulator=False)
    assert found.options == {
        "username": USERNAME,
        "password": PASSWORD,
        "base_url": "https://panel.example",
        "allow_http": True,
        "timeout": 7,
    }
    assert found.sender == "3000"
    assert not leaks(repr(found))


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(tmp_path, 'gateway = "ghasedak"\n[ghasedak]\napi_key = "from file"\nsender = 3000\n')
    assert read_settings(None, path, emulator=False).options == {"api_key": "from file"}
    monkeypatch.setenv("PAYAMAK_GHASEDAK_API_KEY", "from environment")
    found = read_settings(None, path, emulator=False)
    assert (found.gateway, found.options, found.sender) == (GHASEDAK, {"api_key": "from environment"}, "3000")


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, '[ghasedak]\napi_key = "x"\n', mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_settings(GHASEDAK, path, emulator=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f'[ghasedak]\napi_key = "{KEY}', "no TOML"),
        (f"[ghasedak]\napi_key = {KEY}", "no TOML"),
        (f'{KEY} = "x"\n', "means nothing"),
        (f'[ghasedak]\n{KEY} = "x"\n', "means nothing"),
        (f'gateway = "{KEY}"\n', "must be one of"),
        (f'ghasedak = "{KEY}"\n', "must be a section"),
        (f'[ghasedak]\napi_key = ["{KEY}"]\n', "must be a text"),
        (f'[ghasedak]\ntimeout = "{KEY}"\n', "must be a number"),
        (f'[ghasedak]\nallow_http = "{KEY}"\n', "must be true or false"),
        ("[ghasedak]\n", "has no api_key: set PAYAMAK_GHASEDAK_API_KEY"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        read_settings(GHASEDAK, write(tmp_path, content), emulator=False)
    assert KEY not in str(caught.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is not there"):
        read_settings(GHASEDAK, tmp_path / "none.toml", emulator=False)


def test_the_emulator_gets_none_of_the_users_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYAMAK_GHASEDAK_API_KEY", KEY)
    monkeypatch.setenv("PAYAMAK_GHASEDAK_BASE_URL", "https://real.example")
    monkeypatch.setenv("PAYAMAK_EMULATOR_URL", "http://127.0.0.1:1/")
    found = read_settings(None, None, emulator=True)
    assert found.options == {"api_key": "emulator-key", "base_url": "http://127.0.0.1:1/v2/", "allow_http": True}


def _options() -> Iterator[Any]:
    group: Any = typer.main.get_command(app)
    for command in [group, *group.commands.values()]:
        yield from command.params


def test_no_option_takes_a_secret() -> None:
    secret = {"api_key", "user_api_key", "secret_key", "username", "password"}
    assert secret <= {name for names in SETTINGS.values() for name in names}
    names = {parameter.name for parameter in _options()}
    assert "concurrency" in names
    assert not names & secret
    assert not {name for name in names if any(word in name for word in ("key", "secret", "password", "token"))}


def test_the_gateway_is_the_only_setting_that_an_option_reads_from_the_environment() -> None:
    assert {parameter.envvar for parameter in _options()} == {None, "PAYAMAK_GATEWAY", "PAYAMAK_CONFIG"}
    assert variable_of(GatewayName.SMSIR, "secret_key") == "PAYAMAK_SMSIR_SECRET_KEY"


@POSIX
def test_the_default_file_and_a_wrong_key(payamak: Command) -> None:
    folder = payamak.folder / ".config" / "payamak"
    folder.mkdir(parents=True)
    path = folder / "config.toml"
    if sys.platform == "darwin":
        pytest.skip("the folder is another one there")
    path.write_text(f'gateway = "ghasedak"\n[ghasedak]\napi_key = "{KEY}"\nbase_url = "{EMULATOR}/v2/"\n')
    path.chmod(0o600)
    refused = payamak.run("send", PHONE, TEXT, "--verbose")
    assert refused.returncode == 4
    assert "AuthenticationError" in refused.stderr
    assert leaks(refused.stdout, refused.stderr) == [PHONE[1:]]
    assert not leaks(refused.stderr)
    assert payamak.run("credit").returncode == 4
    path.chmod(0o644)
    refused = payamak.run("credit")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == f"payamak: {path} can be read or changed by others: chmod 600 {path}\n"


@POSIX
def test_what_send_many_writes_is_private(payamak: Command) -> None:
    payamak.write("list.csv", "number,text\n09121234567,hi\n")
    assert payamak.emulated("send-many", "list.csv").returncode == 0
    for name in ("list.emulator.results.csv", "list.emulator.journal.db"):
        assert stat.S_IMODE((payamak.folder / name).stat().st_mode) == 0o600, name


def test_only_the_gateway_that_is_used_is_loaded(payamak: Command) -> None:
    code = (
        "import sys; sys.argv = ['payamak', *sys.argv[1:]]\n"
        "from payamak.cli.__main__ import main\n"
        "code = main()\n"
        "print(code, *sorted(name for name in sys.modules if name.startswith(('payamak.', 'aiohttp', 'rich'))))"
    )

    def loaded(*arguments: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=payamak.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return set(done.stdout.splitlines()[-1].split()[1:])

    assert not {name for name in loaded("--version") if name.startswith("aiohttp")}
    names = loaded("credit", "--emulator")
    assert "payamak.ghasedak" in names
    assert not names & {"payamak.smsir", "payamak.opgateway", "payamak.advgateway", "payamak.emulator"}

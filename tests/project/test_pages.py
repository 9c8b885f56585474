"""Every block of code of the pages in docs/ is run as it is printed."""

from __future__ import annotations

import ast
import contextlib
import json
import re
import shlex
import sqlite3
import subprocess
import sys
import time
import tomllib
import types
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.printed import (
    EMULATOR,
    ROOT,
    Block,
    control,
    emulator_as_printed,
    environment,
    list_blocks,
    read_page,
    run,
    sent,
    serve,
    start,
)
from support.warm import for_commands, for_nested_pytest

# These two have tests of their own.
ELSEWHERE = ("testing.md", "command-line.md")
PAGES = {
    str(path.relative_to(ROOT / "docs")): list_blocks(read_page(str(path.relative_to(ROOT))))
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if path.name not in ELSEWHERE
}
# The first that fits tells how an example is run.
KINDS = {
    "test": re.compile(r"^(async )?def test_", re.MULTILINE),
    "service": re.compile(r"\bFastAPI\("),
    "bot": re.compile(r"\bDispatcher\("),
    "worker": re.compile(r"\.add_signal_handler\("),
    "framework": re.compile(r"\bFlask\(|\bCelery\(|\bget_wsgi_application\("),
    "part": re.compile(r"^from django|^atexit\.register", re.MULTILINE),
    "database": re.compile(r"\bPostgresJournal\("),  # Run where a PostgreSQL is: tests/many/test_journal_postgres.py
    "script": re.compile(r"\basyncio\.run\("),
    "module": re.compile(""),
}


class Place(NamedTuple):
    """A block, and where it stands."""

    page: str
    number: int

    @property
    def block(self) -> Block:
        return PAGES[self.page][self.number]

    @property
    def kind(self) -> str:
        return next(kind for kind, sign in KINDS.items() if sign.search(self.block.code))

    def save_files(self, folder: Path) -> None:
        """Save what the page gives a name, as its reader does."""
        for block in PAGES[self.page]:
            if block.title:
                (folder / block.title).write_text(block.code, encoding="utf-8")

    @property
    def printed_output(self) -> str | None:
        """What the page says that the example prints."""
        following = PAGES[self.page][self.number + 1 : self.number + 2]
        is_output = following and following[0].language == "text" and following[0].heading == self.block.heading
        return following[0].code if is_output else None


def find(language: str, *kinds: str) -> list[Any]:
    places = [Place(page, number) for page, blocks in PAGES.items() for number in range(len(blocks))]
    return [
        pytest.param(place, id=f"{place.page}: {place.block.heading}, {place.number}")
        for place in places
        if place.block.language == language and (not kinds or place.kind in kinds)
    ]


@pytest.fixture(scope="module")
def emulator_process() -> Iterator[None]:
    with emulator_as_printed():
        yield


@pytest.fixture(autouse=True)
def fresh_emulator(emulator_process: None) -> None:
    control("POST", "reset", {})


def test_every_block_is_of_a_kind_that_a_test_runs() -> None:
    # Drawings have no language; what a text block shows is compared where it follows an example.
    known = {"python", "console", "dockerfile", "yaml", "text", ""}
    assert {block.language for blocks in PAGES.values() for block in blocks} <= known


@pytest.mark.parametrize("place", find("python", "script"))
def test_the_script_runs_as_printed(place: Place, tmp_path: Path) -> None:
    place.save_files(tmp_path)
    printed = run(place.block.code, tmp_path)
    assert control("GET", "requests")["requests"] or "Emulator(" in place.block.code
    if place.printed_output is not None:
        assert printed == place.printed_output


@pytest.mark.parametrize("place", find("python", "module", "part"))
def test_the_module_is_imported_by_another_example(place: Place, tmp_path: Path) -> None:
    assert place.block.title
    place.save_files(tmp_path)
    name = place.block.title.removesuffix(".py")
    run(f"import {name}", tmp_path)
    assert any(re.search(rf"^from {name} import ", block.code, re.MULTILINE) for block in PAGES[place.page])


def test_the_example_with_a_database_is_the_one_that_is_run_elsewhere() -> None:
    assert [parameter.values[0].page for parameter in find("python", "database")] == ["sending-many.md"]


@pytest.mark.parametrize("place", find("python", "test"))
def test_the_test_passes(place: Place, tmp_path: Path) -> None:
    place.save_files(tmp_path)
    (tmp_path / "test_printed.py").write_text(place.block.code, encoding="utf-8")
    # A file of its own, or the settings of this repository would count where temporary folders lie inside it.
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8")
    done = subprocess.run(
        [*for_nested_pytest(), "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-q", "test_printed.py"],
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert len(re.findall(KINDS["test"], place.block.code)) == int(re.findall(r"(\d+) passed", done.stdout)[0])


@pytest.mark.parametrize("place", find("python", "service"))
def test_the_service_starts_and_stops(place: Place, tmp_path: Path) -> None:
    place.save_files(tmp_path)
    (tmp_path / "printed.py").write_text(place.block.code, encoding="utf-8")
    with serve(["uvicorn", "printed:app", "--log-level", "warning"], tmp_path) as url:
        assert ask(f"{url}/openapi.json", None)[0] == 200


@pytest.mark.parametrize("place", find("python", "worker"))
def test_the_worker_ends_when_it_is_told_to(place: Place, tmp_path: Path) -> None:
    with start(["-c", place.block.code], tmp_path) as worker:
        wait_until(lambda: len(sent()) > 2)
        worker.terminate()
        assert worker.communicate(timeout=30) == ("nothing is in flight any more\n", "")
    assert worker.returncode == 0


def test_the_only_bot_is_that_of_the_tutorial() -> None:
    assert [parameter.values[0].page for parameter in find("python", "bot")] == ["tutorial.md"]


async def test_the_tutorials_bot_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    from aiogram import Bot, Dispatcher
    from aiogram.types import Update
    from support.telegram import stand_in

    code = {block.title: block.code for block in PAGES["tutorial.md"]}
    codes = types.ModuleType("codes")
    monkeypatch.setitem(sys.modules, "codes", codes)
    exec(code["codes.py"], vars(codes))  # noqa: S102
    defined: dict[str, Any] = {"__name__": "bot"}
    exec(code["bot.py"], defined)  # noqa: S102
    dispatcher: Dispatcher = defined["dispatcher"]
    async with stand_in() as (bot, answers):

        async def feed(bot: Bot, **content: Any) -> None:
            message = {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}, **content}
            await dispatcher.feed_update(bot, Update.model_validate({"update_id": 1, "message": message}))

        contact = {"phone_number": "+989121234567", "first_name": "S"}
        await feed(bot, contact=contact)
        await feed(bot, text="wrong")
        await feed(bot, text=sent()[-1]["params"][0])
        control("POST", "faults", {"kind": "drop_after_read"})
        await feed(bot, contact=contact)
        control("POST", "faults", {"kind": "status", "status": 401})
        await feed(bot, contact=contact)
        await dispatcher.emit_shutdown()
    assert answers == [
        "کد برای شما پیامک شد.", "این کد درست نیست.", "خوش آمدید!",
        "شاید کد در راه باشد؛ کمی صبر کنید.", "کد ارسال نشد. کمی بعد دوباره امتحان کنید.",
    ]  # fmt: skip
    assert len(sent()) == 2


def test_the_tutorials_service_logs_in(tmp_path: Path) -> None:
    Place("tutorial.md", 0).save_files(tmp_path)
    with serve(["uvicorn", "service:app", "--log-level", "warning"], tmp_path) as url:
        assert ask(f"{url}/login", {"number": "09121234567"}) == (200, {"status": "sent"})
        (code,) = sent()[-1]["params"]
        assert ask(f"{url}/verify", {"number": "09121234567", "code": "wrong"})[0] == 401
        assert ask(f"{url}/verify", {"number": "09121234567", "code": code})[0] == 200
        assert ask(f"{url}/verify", {"number": "09121234567", "code": code})[0] == 401
        assert ask(f"{url}/login", {"number": "123"})[0] == 422
        assert ask(f"{url}/login", {"number": "02188776655"})[0] == 422
        # One person, whatever the keyboard.
        assert ask(f"{url}/login", {"number": "۰۹۱۲ ۳۳۳ ۳۳۳۳"})[0] == 200
        code = sent()[-1]["params"][0].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
        assert ask(f"{url}/verify", {"number": "+989123333333", "code": code})[0] == 200
        control("POST", "faults", {"kind": "drop_after_read"})
        assert ask(f"{url}/login", {"number": "09122222222"}) == (202, {"status": "on its way, perhaps"})
        assert ask(f"{url}/verify", {"number": "09122222222", "code": sent()[-1]["params"][0]})[0] == 200
        assert ask(f"{url}/login", {"number": "09000000009"})[0] == 503
    assert len(sent()) == 3


def test_the_deployed_service_answers(tmp_path: Path) -> None:
    Place("deployment.md", 0).save_files(tmp_path)
    with serve(["uvicorn", "service:app", "--log-level", "error"], tmp_path) as url:
        assert ask(f"{url}/health", None) == (200, {"status": "ok"})
        assert ask(f"{url}/notify/09121234567", {}) == (200, {"status": "sent"})
        assert ask(f"{url}/notify/123", {})[0] == 422
        control("POST", "faults", {"kind": "drop_after_read"})
        assert ask(f"{url}/notify/09121234567", {}) == (200, {"status": "unknown"})
        assert ask(f"{url}/notify/09000000009", {})[0] == 503
    assert len(sent()) == 2


def test_workers_with_an_outbox_send_once(tmp_path: Path) -> None:
    Place("scaling.md", 0).save_files(tmp_path)
    command = ["uvicorn", "outbox_service:app", "--log-level", "error"]
    with serve(command, tmp_path) as one, serve(command, tmp_path) as other:

        def order(number: int) -> tuple[int, Any]:
            return ask(f"{(one, other)[number % 2]}/orders/{number // 4}/shipped/0912{number // 4:07}", {})

        with ThreadPoolExecutor(8) as pool:
            assert set(map(str, pool.map(order, range(80)))) == {str((200, {"status": "sent"}))}
        assert len(sent()) == 20
        assert ask(f"{one}/orders/900/shipped/123", {})[0] == 422
        control("POST", "account", {"gateway": "ghasedak", "credit": 0})
        assert [ask(f"{one}/orders/{number}/shipped/09121111111", {})[0] for number in (901, 902)] == [503, 503]
    assert len(sent()) == 20


def save_threaded_server(folder: Path) -> None:
    """What stands for gunicorn with threads."""
    (folder / "threaded.py").write_text(
        "import sys\n"
        "from importlib import import_module\n"
        "from socketserver import ThreadingMixIn\n"
        "from wsgiref.simple_server import WSGIServer, make_server\n"
        "class Server(ThreadingMixIn, WSGIServer):\n"
        "    daemon_threads = True\n"
        "    request_queue_size = 100\n"
        "module, name = sys.argv[1].split(':')\n"
        "application = getattr(import_module(module), name)\n"
        "make_server('127.0.0.1', int(sys.argv[-1]), application, Server).serve_forever()\n"
    )


def log_in_at_once(url: str, times: int) -> None:
    def log_in(number: int) -> int:
        return post(f"{url}/login", f"0912{number:07}")[0]

    assert post(f"{url}/login", "123")[0] == 422
    control("POST", "reset", {})
    with ThreadPoolExecutor(times) as pool:
        assert set(pool.map(log_in, range(times))) == {200}
    assert len(sent()) == times
    control("POST", "faults", {"kind": "drop_after_read"})
    assert post(f"{url}/login", "09121234567")[0] == 202
    assert post(f"{url}/login", "09000000009")[0] == 503


@pytest.mark.parametrize(
    "server", [["threaded", "project:wsgi"], ["uvicorn", "project:asgi", "--log-level", "error"]], ids=["wsgi", "asgi"]
)
def test_the_views_of_django_answer_many_at_once(server: list[str], tmp_path: Path) -> None:
    Place("django.md", 0).save_files(tmp_path)
    save_threaded_server(tmp_path)
    with serve(server, tmp_path) as url:
        log_in_at_once(url, 50)
        assert post(f"{url}/notify", "09121234567") == (200, {"status": "sent"})
        assert post(f"{url}/notify", "09000000009") == (503, {"status": "refused"})


def test_the_views_of_flask_answer_many_at_once(tmp_path: Path) -> None:
    Place("flask.md", 0).save_files(tmp_path)
    with serve(["flask", "--app", "app", "run"], tmp_path) as url:
        log_in_at_once(url, 50)


CELERY = """
import os
import sys

from celery.contrib.testing.worker import start_worker
from tasks import app, notify

app.conf.update(broker_url="memory://", broker_transport_options={"polling_interval": 0.01})
with start_worker(app, pool=sys.argv[1], concurrency=4, perform_ping_check=False) as worker:
    for number in range(20):
        notify.delay(f"0912{number:07}", "text", number)
    notify.delay("09000000009", "text", 1001)
    sys.stdin.read()
    worker.pool.terminate()
    os._exit(0)  # To be stopped takes this worker seconds.
"""


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_the_tasks_of_celery_send_once(pool: str, tmp_path: Path) -> None:
    Place("celery.md", 0).save_files(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", CELERY, pool], cwd=tmp_path, env=environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as worker:  # fmt: skip
        wait_until(lambda: worker.poll() is not None or len(control("GET", "requests")["requests"]) == 21)
        output, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0, output
    assert "Unclosed" not in output
    assert sorted(message["check_id"] for message in sent()) == sorted(f"order-{number}" for number in range(20))


def test_the_service_of_sms_ir_tells_the_credit(tmp_path: Path) -> None:
    Place("smsir.md", 0).save_files(tmp_path)
    with serve(["uvicorn", "service:app", "--log-level", "warning"], tmp_path) as url:
        assert ask(f"{url}/credit", None) == (200, control("GET", "account")["smsir"]["credit"])


@pytest.mark.parametrize("name", ["rich", "tqdm"])
def test_the_bar_is_full_at_the_end(name: str) -> None:
    (code,) = (block.code for block in PAGES["sending-many.md"] if "with Progress() as bar" in block.code)
    if name == "tqdm":
        page = read_page("docs/sending-many.md")
        found = re.search(r"With `tqdm` it is `(.+?)`\s+and `progress=(.+?)`", page)
        assert found
        code = code.replace("from rich.progress import Progress", "from tqdm import tqdm")
        code = re.sub(r"with Progress\(\) as bar", found[1], code)
        code = re.sub(r" +task = .*\n", "", code).replace("tqdm(total", "tqdm(file=sys.stdout, total")
        code = "import sys\n" + re.sub(r"progress=lambda .*", f"progress={found[2]}", code)
    assert {"rich": "100%", "tqdm": "1000/1000"}[name] in run(code)


def test_the_token_is_shared_with_the_next_process(tmp_path: Path) -> None:
    Place("token.md", 0).save_files(tmp_path)
    for _ in range(2):
        run("import runpy; runpy.run_path('shared_token.py', run_name='__main__')", tmp_path)
    paths = [request["path"] for request in control("GET", "requests")["requests"]]
    assert [path.rpartition("/")[2] for path in paths] == ["GetToken", "GetUserInfo", "GetUserInfo"]


@pytest.mark.parametrize("place", find("dockerfile"))
def test_the_container_starts_what_the_page_has(place: Place, tmp_path: Path) -> None:
    place.save_files(tmp_path)
    copied = re.findall(r"^COPY (\S+) \.$", place.block.code, re.MULTILINE)
    assert copied
    assert all((tmp_path / name).exists() for name in copied)
    (command,) = re.findall(r"^CMD (\[.+\])$", place.block.code, re.MULTILINE)
    arguments: list[str] = json.loads(command)
    with serve([argument.replace("0.0.0.0", "127.0.0.1") for argument in arguments], tmp_path) as url:  # noqa: S104
        assert ask(f"{url}/health", None)[0] == 200


@pytest.mark.parametrize("place", find("yaml"))
def test_the_composed_emulator_starts_where_its_clients_look(place: Place, tmp_path: Path) -> None:
    (command,) = re.findall(r"^ +command: python (.+)$", place.block.code, re.MULTILINE)
    try_python(shlex.split(command), place, tmp_path)
    (name,) = re.findall(r"^  (\w+):\n.*\n +command:", place.block.code, re.MULTILINE)
    assert set(re.findall(r"http://([\w.]+):", place.block.code)) == {name}


@pytest.mark.parametrize("place", find("console"))
def test_the_commands_work(place: Place, tmp_path: Path) -> None:
    place.save_files(tmp_path)
    commands = re.findall(r"^\$ (.+)$", place.block.code, re.MULTILINE)
    assert commands
    for command in commands:
        words = shlex.split(command, comments=True)
        while "=" in words[0]:
            words.pop(0)  # The environment, which `environment` sets for all.
        assert words[0] in COMMANDS, f"say here how to try {words[0]}"
        COMMANDS[words[0]](words[1:], place, tmp_path)


def try_pip(words: list[str], place: Place, folder: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert words[0] == "install"
    (wanted,) = re.findall(r"(?:\.|payamak)(?:\[(.+)\])?$", words[-1])
    assert not wanted or wanted in extras


def try_python(words: list[str], place: Place, folder: Path) -> None:
    if words[0] == "dev.py":
        tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
        sessions = {node.name.rstrip("_").replace("_", "-") for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert set(words[1:]) <= sessions
        return
    assert words[:2] == ["-m", "payamak.emulator"]
    with subprocess.Popen(
        [*for_commands(), *words, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as emulator:
        assert emulator.stdout is not None
        assert any("ready" in line for line in emulator.stdout)
        emulator.terminate()
        assert emulator.wait(30) == 0


def try_curl(words: list[str], place: Place, folder: Path) -> None:
    assert words[:-2] in ([], [words[0]])
    data = words[1].encode() if words[0] == "-d" else None
    assert words[-1].startswith(EMULATOR)
    with urllib.request.urlopen(urllib.request.Request(words[-1], data), timeout=30) as reply:
        assert json.load(reply)


def try_sqlite3(words: list[str], place: Place, folder: Path) -> None:
    """The file is that of the example under the same heading."""
    for block in PAGES[place.page][: place.number]:
        if block.language == "python" and block.heading == place.block.heading:
            run(block.code, folder)
    with contextlib.closing(sqlite3.connect(folder / words[0])) as database:
        assert database.execute(words[1]).fetchall()


def try_pytest(words: list[str], place: Place, folder: Path) -> None:
    assert all((folder / word).exists() for word in words)  # The test itself runs above.


def try_uvicorn(words: list[str], place: Place, folder: Path) -> None:
    with serve(["uvicorn", *words], folder) as url:
        if "project:asgi" in words:
            assert post(f"{url}/login", "123")[0] == 422
        else:
            assert ask(f"{url}/openapi.json", None)[0] == 200


def try_gunicorn(words: list[str], place: Place, folder: Path) -> None:
    save_threaded_server(folder)
    with serve(["threaded", words[-1]], folder) as url:
        assert post(f"{url}/login", "123")[0] == 422


def try_flask(words: list[str], place: Place, folder: Path) -> None:
    with serve(["flask", *words], folder) as url:
        assert post(f"{url}/login", "123")[0] == 422


def try_celery(words: list[str], place: Place, folder: Path) -> None:
    assert words[:2] == ["-A", "tasks"]  # The tasks themselves run above, with no broker.
    assert (folder / "tasks.py").exists()


COMMANDS: dict[str, Callable[[list[str], Place, Path], None]] = {
    "pip": try_pip,
    "python": try_python,
    "python3": try_python,
    "curl": try_curl,
    "sqlite3": try_sqlite3,
    "pytest": try_pytest,
    "uvicorn": try_uvicorn,
    "gunicorn": try_gunicorn,
    "flask": try_flask,
    "celery": try_celery,
}


def ask(url: str, body: object) -> tuple[int, Any]:
    """Post a body, or get if there is none, as soon as the service answers."""
    data = None if body is None else json.dumps(body).encode()
    return _open(urllib.request.Request(url, data, {"Content-Type": "application/json"}))


def post(url: str, number: str) -> tuple[int, Any]:
    """Post the form of a page that asks for a number."""
    return _open(urllib.request.Request(url, urllib.parse.urlencode({"number": number}).encode()))


def _open(request: urllib.request.Request) -> tuple[int, Any]:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except urllib.error.URLError:
            assert time.monotonic() < until, "the service did not start"
            time.sleep(0.1)


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)

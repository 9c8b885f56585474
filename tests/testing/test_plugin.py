"""The plugin in runs of pytest of its own, as users have them."""

from __future__ import annotations

import asyncio
import errno
import re

import pytest
from payamak.testing.thread import EmulatorThread
from support.nested import run_pytest

pytest_plugins = ["pytester"]

STRICT_WARNINGS = "filterwarnings = error\n"
ASYNCIO = "asyncio_default_fixture_loop_scope = function\nasyncio_mode = "

USES = """
        await ghasedak_client.send_otp("09121234567", "login", ["482913"])
        assert sent_messages[-1].code == "482913"
        order_fault("drop_after_read", path="sms/send/simple")
        with pytest.raises(PayamakError):
            await ghasedak_client.send("09121234567", "lost")
        assert len(sent_messages) == 2
        payamak_clock.advance(60)
        assert [message.state for message in sent_messages] == ["delivered"] * 2
"""
TWICE = f"""
    import pytest
    from payamak.common import PayamakError

    {{mark}}
    @pytest.mark.parametrize("time", [1, 2])
    async def test_one(time, ghasedak_client, sent_messages, order_fault, payamak_clock):{USES}

    {{mark}}
    async def test_all(ghasedak_client, smsir_client, opgateway_client, advgateway_client, payamak_emulator):
        for client in (ghasedak_client, smsir_client, opgateway_client, advgateway_client):
            assert await client.credit() > 0
        assert {{{{request.gateway for request in payamak_emulator.requests}}}} == {{{{
            "ghasedak", "smsir", "opgateway", "advgateway"
        }}}}
"""


def run(pytester: pytest.Pytester, ini: str, test: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test)
    pytester.makeini(f"[pytest]\n{STRICT_WARNINGS}{ini}")
    return run_pytest(pytester, *arguments)


def test_pytest_asyncio_in_auto_mode(pytester: pytest.Pytester) -> None:
    """A failing test shows what came, and the emulator ends with the run: this is one run, for each takes long."""
    pytester.makepyfile(
        test_failing="""
        import pytest

        def test_nothing_came(sent_messages):
            sent_messages[-1]

        async def test_refused(ghasedak_client, sent_messages):
            with pytest.raises(Exception):
                await ghasedak_client.send("09000000009", "hello")
            sent_messages[-1]

        async def test_another_text(ghasedak_client, sent_messages):
            await ghasedak_client.send("09121234567", "hello")
            assert sent_messages == []
        """
    )
    pytester.makeconftest(
        """
        import threading

        def pytest_unconfigure(config):
            print("THREADS", threading.active_count())
        """
    )
    result = run(pytester, f"{ASYNCIO}auto", TWICE.format(mark=""), "-s")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*No request came to http://127.0.0.1:*: is your code pointed at it?*",
            "*POST /v2/sms/send/simple -> 4*",
            "*<SentMessage ghasedak to 09121234567: 'hello'>*",
            "THREADS 1",
        ]
    )


def test_pytest_asyncio_in_strict_mode(pytester: pytest.Pytester) -> None:
    result = run(pytester, f"{ASYNCIO}strict", TWICE.format(mark="@pytest.mark.asyncio"))
    result.assert_outcomes(passed=3)


def test_one_event_loop_for_the_whole_run(pytester: pytest.Pytester) -> None:
    ini = f"{ASYNCIO}auto\nasyncio_default_test_loop_scope = session"
    run(pytester, ini, TWICE.format(mark="")).assert_outcomes(passed=3)


def test_anyio(pytester: pytest.Pytester) -> None:
    mark = '@pytest.mark.parametrize("anyio_backend", ["asyncio"])\n    @pytest.mark.anyio'
    result = run(pytester, "", TWICE.format(mark=mark), "-p", "no:asyncio")
    result.assert_outcomes(passed=3)


def test_plain_tests(pytester: pytest.Pytester) -> None:
    test = f"""
    import asyncio, pytest, threading
    from payamak.common import PayamakError

    def test_without_a_loop(sent_messages):
        assert sent_messages == []

    @pytest.mark.parametrize("time", [1, 2])
    def test_with_a_loop(time, ghasedak_client, sent_messages, order_fault, payamak_clock):
        async def use():{USES.replace(chr(10), chr(10) + "    ")}
        asyncio.run(use())

    def test_in_a_thread(ghasedak_client, sent_messages):
        view = threading.Thread(target=lambda: asyncio.run(ghasedak_client.send("09121234567", "hello")))
        view.start()
        view.join()
        assert sent_messages[0].text == "hello"
    """
    run(pytester, "", test, "-p", "no:asyncio").assert_outcomes(passed=4)


def test_workers_of_xdist_have_an_emulator_each(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    test = """
    import pathlib, pytest

    @pytest.mark.parametrize("number", range(20))
    async def test_one(number, ghasedak_client, sent_messages, payamak_server, worker_id):
        with open(f"{worker_id}.url", "w") as file:
            file.write(payamak_server.url)
        for _ in range(3):
            await ghasedak_client.send("09121234567", str(number))
        assert [message.text for message in sent_messages] == [str(number)] * 3
    """
    # In which the workers, that are no forks, are strict too.
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    run(pytester, f"{ASYNCIO}auto", test, "-n", "2").assert_outcomes(passed=20)
    urls = [file.read_text() for file in pytester.path.glob("*.url")]
    assert len(urls) == len(set(urls)) == 2


BLOCKED = """
    import asyncio, pytest

    def test_without_a_client(payamak_emulator):
        assert payamak_emulator.url

    def test_with_a_client(ghasedak_client, sent_messages):
        asyncio.run(ghasedak_client.send("09121234567", "hello"))
        assert sent_messages[0].text == "hello"
"""


def test_where_sockets_are_blocked_it_fails_at_once_and_says_what_to_allow(pytester: pytest.Pytester) -> None:
    pytest.importorskip("pytest_socket")
    pytester.makepyfile(BLOCKED)
    pytester.makeini(f"[pytest]\n{STRICT_WARNINGS}    ignore:A test tried to use\n{ASYNCIO}auto")
    blocked = run_pytest(pytester, "--disable-socket")
    blocked.assert_outcomes(errors=2)
    assert "unraisable" not in blocked.stdout.str().lower() + blocked.stderr.str().lower()
    (advice,) = set(re.findall(r"--allow-\S+", blocked.stdout.str()))
    run_pytest(pytester, "--disable-socket", advice).assert_outcomes(passed=2)


def test_an_event_loop_that_cannot_be_made_is_no_reason_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: asyncio.Runner) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(asyncio.Runner, "get_loop", refuse)
    with pytest.raises(OSError, match="too many"):
        EmulatorThread()


def test_it_costs_nothing_to_who_does_not_use_it(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    test = """
    import sys, threading

    def test_nothing(request):
        assert request.config.pluginmanager.has_plugin("payamak")
        heavy = ("aiohttp", "attr", "asyncio", "payamak.emulator", "payamak.common")
        assert [name for name in heavy if name in sys.modules] == []
        assert threading.active_count() == 1
    """
    pytester.makepyfile(test)
    # Where the temporary folder lies inside this repository, its settings are for plugins that are not loaded here.
    pytester.makeini("[pytest]")
    # Other plugins that happen to be here import asyncio themselves.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.runpytest_subprocess("-p", "payamak").assert_outcomes(passed=1)


def test_fixtures_say_what_they_are(pytester: pytest.Pytester) -> None:
    result = run_pytest(pytester, "--fixtures", "-o", "asyncio_default_fixture_loop_scope=function")
    result.stdout.fnmatch_lines(["*sent_messages*", "*The messages that were sent in this test*"])
    result.stdout.no_fnmatch_line("*_payamak_thread*")

"""send, status, received, credit and emulator: what they print, and how they end."""

from __future__ import annotations

import datetime
import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from payamak.cli.exits import log_words
from payamak.cli.sending import describe_failure
from payamak.common import GatewayError, Outcome, OutgoingMessage, ReplyError, SendReport
from support.command import FRESH, Command, Done, lines_of_json
from support.printed import control, free_port, sent
from support.sockets import dead_port

GATEWAYS = ["ghasedak", "smsir", "opgateway", "advgateway"]
PHONE = "09127776655"
Call = Callable[..., Done]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_send_status_and_credit(call: Call, gateway: str) -> None:
    before = credit(call, gateway)
    done = call("send", "--emulator", "-g", gateway, "0912 777 6655", "+98 912 222 2222", "سلام [b]دنیا[/b]", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = lines_of_json(done.stdout)
    assert [first["recipient"], second["recipient"]] == ["0912 777 6655", "+98 912 222 2222"]
    assert {first["outcome"], second["outcome"]} == {"sent"}
    assert first["error"] is None
    assert [message["recipient"][-10:] for message in sent()] == ["9127776655", "9122222222"]
    assert {message["text"] for message in sent()} == {"سلام [b]دنیا[/b]"}
    assert credit(call, gateway) < before

    by = "reference" if gateway == "smsir" else "message_id"
    asked = call("status", "--emulator", "-g", gateway, str(first[by]), "--json")
    assert (asked.returncode, asked.stderr) == (0, "")
    statuses = lines_of_json(asked.stdout)
    assert all(status["message_id"] for status in statuses)
    assert {status["state"] for status in statuses} <= {"queued", "sent", "delivered", "unknown"}


def credit(call: Call, gateway: str) -> float:
    done = call("credit", "--emulator", "--gateway", gateway, "--json")
    (record,) = lines_of_json(done.stdout)
    assert record["gateway"] == gateway
    return float(record["credit"])


@pytest.mark.parametrize("gateway", ["ghasedak", "opgateway", "advgateway"])
def test_received(call: Call, gateway: str) -> None:
    line = "10008566" if gateway == "ghasedak" else "3000505"
    control("POST", "inbox", {"gateway": gateway, "sender": PHONE, "line": line, "text": "سلام\tخوبی؟"})
    done = call("received", "--emulator", "-g", gateway, "--json")
    (message,) = lines_of_json(done.stdout)
    assert message["text"] == "سلام\tخوبی؟"
    assert message["sender"][-10:] == PHONE[-10:]
    assert message["received_at"].endswith(("+03:30", "+00:00"))
    assert (done.returncode, done.stderr) == (0, "")


# What moves a cursor, sets a title, paints, or turns the rest of a line around: C0, C1 and marks of direction.
HOSTILE = "a\tb\r\n\x1b[31mred\x1b]0;title\x07\x9b2J \x7f\u202eevil\u2066 می\u200cخواهم\u200f \u2028end"


def test_what_a_stranger_wrote_moves_no_cursor(call: Call) -> None:
    def receive(*options: str) -> str:
        message = {"gateway": "ghasedak", "sender": PHONE, "line": "10008566", "text": HOSTILE}
        control("POST", "inbox", message)
        return call("received", "--emulator", "--line", "10008566", *options).stdout

    in_pipe = receive()
    assert in_pipe.rstrip("\n").split("\t")[3] == (
        r"a b \x1b[31mred\x1b]0;title\x07\x9b2J \x7f\u202eevil\u2066" + " می\u200cخواهم\u200f end"
    )
    as_json = receive("--json")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200f\u2028\u202e\u2066]", as_json)
    assert json.loads(as_json.splitlines()[0])["text"] == HOSTILE


@pytest.mark.parametrize("name", ["\x1b[31mname", "name\u202e", "na\x9bme"])
def test_what_a_file_holds_moves_no_cursor(call: Call, payamak: Command, name: str) -> None:
    payamak.write("list.csv", f"{name},city\nSara,Qom\n")
    done = call("send-many", "list.csv", "--emulator", "--text", "hi", "--dry-run")
    assert done.returncode == 2
    assert "it has: " in done.stderr
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)


def test_what_a_gateway_says_of_a_refusal_is_shown_on_request(call: Call) -> None:
    arguments = ("send", "--emulator", "-g", "smsir", PHONE, "hi", "--grace", "0")
    control("POST", "switches", {"smsir": {"numbers_must_be_contacts": True}})
    done = call(*arguments)
    assert "مخاطب" not in done.stdout + done.stderr
    done = call(*arguments, "--verbose")
    assert done.stderr.count("payamak: smsir says: مخاطب یافت نشد\n") == 1


def test_what_a_gateway_says_of_a_question_is_shown_on_request(call: Call) -> None:
    arguments = ("received", "--emulator", "--line", "12345")
    assert " says: " not in call(*arguments).stderr
    assert "payamak: ghasedak says: error! Exception\n" in call(*arguments, "-v").stderr


def test_what_a_gateway_says_moves_no_cursor(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("credit", "--emulator", "--verbose")
    log_words(GatewayError("refused", gateway_message="\x1b[31mred\nمتن\u202e"))
    assert capsys.readouterr().err == r"payamak: the gateway says: \x1b[31mred متن\u202e" + "\n"


def test_a_refusal_because_the_number_is_no_contact_says_so(call: Call) -> None:
    control("POST", "switches", {"smsir": {"numbers_must_be_contacts": True}})
    done = call("send", "--emulator", "-g", "smsir", PHONE, "hi", "--grace", "0")
    assert (done.returncode, "contacts.add" in done.stderr) == (1, True)
    done = call("send", "--emulator", "-g", "smsir", "09000000008", "hi", "--grace", "0")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("مخاطب یافت نشد", True),
        ("شماره در لیست مخاطبین شما وجود ندارد", True),
        ("مخاطب هنوز در زمان انتظار عضویت است", False),
        ("شماره موبایل معتبر نیست", False),
        (None, False),
    ],
)
def test_contacts_are_suggested_only_where_they_are_the_reason(sentence: str | None, expected: bool) -> None:
    for gateway in ("smsir", "ghasedak"):
        error = GatewayError("refused", gateway_message=sentence)
        error.gateway = gateway
        report = SendReport(0, OutgoingMessage(PHONE, "hi"), Outcome.REFUSED, error=error)
        assert ("contacts" in str(describe_failure(report))) == (expected and gateway == "smsir")


def test_received_at_ghasedak_between_two_times(call: Call) -> None:
    control("POST", "inbox", {"gateway": "ghasedak", "sender": PHONE, "line": "30005088", "text": "a b"})
    arguments = ["received", "--emulator", "--line", "30005088", "--since", "2020-01-01 00:00"]
    found = call(*arguments)
    assert found.stdout.split("\t")[1:] == [PHONE, "30005088", "a b\n"]
    assert call(*arguments, "--until", "2020-01-02 00:00").stdout == ""
    assert call("received", "--emulator", "--until", "2020-01-02 00:00").returncode == 2


def test_a_text_from_standard_input(payamak: Command) -> None:
    assert payamak.emulated("send", PHONE, "-", stdin=b"line one\n09129999999\n").returncode == 0
    assert [message["text"] for message in sent()] == ["line one\n09129999999"]
    assert payamak.emulated("send", PHONE, "-", stdin="سلام".encode("cp1256")).returncode == 2


def test_a_time_a_line_and_a_mark(call: Call) -> None:
    done = call(
        "send", "--emulator", PHONE, "hi", "--send-at", "2030-01-01 12:00", "--sender", "30005088", "--check-id", "a-1"
    )
    assert done.returncode == 0
    (message,) = sent()
    assert (message["line"], message["check_id"]) == ("30005088", "a-1")
    assert message["send_at"] == "2030-01-01T08:30:00+00:00"
    (status,) = lines_of_json(call("status", "--emulator", "--check-id", "a-1", "--json").stdout)
    assert status["check_id"] == "a-1"


SEND = ("send", PHONE, "sentinel text")
EXIT_CODES: list[tuple[dict[str, Any] | None, tuple[str, ...], int, str]] = [
    (None, SEND, 0, r"^$"),
    (None, ("send", "09000000008", "hi"), 1, r"1 refused: InvalidRecipientError"),
    (None, ("send", "12", "hi"), 1, r"1 not sent: to cannot be a telephone number"),
    (None, (*SEND, "-g", "opgateway", "--sender", "999"), 1, r"1 refused"),
    ({"kind": "drop_after_read"}, SEND, 0, r"^$"),
    (
        {"kind": "drop_after_read"},
        (*SEND, "--on-unknown", "leave"),
        3,
        r"1 unknown: Conn.*may have gone",
    ),
    ({"kind": "drop_after_read"}, (*SEND, "--on-unknown", "resend"), 0, r"^$"),
    # Of a gateway that has not shown yet that it keeps check ids, an absence proves nothing.
    ({"kind": "drop_unprocessed"}, (*SEND, "--grace", "0"), 3, r"1 unknown: ConnectionLostError"),
    ({"kind": "drop_unprocessed"}, (*SEND, "--grace", "0", "--on-unknown", "resend"), 3, r"1 unknown"),
    ({"kind": "drop_after_read"}, (*SEND, "-g", "advgateway"), 3, r"1 unknown"),
    ({"kind": "status", "status": 401}, SEND, 4, r"1 refused: AuthenticationError"),
    ({"kind": "status", "status": 401}, ("credit",), 4, r"^payamak: ghasedak: "),
    ({"kind": "garbage", "times": None}, ("credit",), 1, r"^payamak: ghasedak: "),
    ({"kind": "drop_after_read"}, ("received", "-g", "advgateway"), 3, r"may be marked as read"),
    (None, ("status", "42"), 1, r"^$"),
    (None, ("status", "42", "-g", "opgateway"), 1, r"no message|does not exist|no bulk|not found"),
    (None, ("status",), 2, r"give at least one id"),
    (None, ("status", "x1"), 2, r"a message id is a whole number"),
    (None, ("status", "1" * 5000), 2, r"a message id is a whole number"),
    (None, ("status", "42", "-g", "smsir"), 1, r"^$"),
    (None, ("status", "--check-id", "x", "-g", "advgateway"), 2, r"knows no check ids"),
    (None, ("received", "-g", "smsir"), 2, r"no inbox"),
    (None, ("received", "-g", "opgateway", "--line", "3000505"), 2, r"leave --line"),
    (None, ("send", "-g", "smsir", "--sender", "3000", PHONE, "hi"), 2, r"leave --sender away"),
    (None, ("send", PHONE, "09122222222"), 2, r"the text is missing"),
    (None, ("send", "hi"), 2, r"at least one number"),
    (None, ("send", PHONE, "hi", "--send-at", "tomorrow"), 2, r"a time must be written like"),
    (None, ("send", PHONE, "09122222222", "hi", "--check-id", "x"), 2, r"mark of one message"),
    (None, ("send", PHONE, "hi", "-g", PHONE), 2, r"not one of"),
    (None, ("send", "--api-key=sentinel text", PHONE, "hi"), 2, r"No such option: --api-key"),
    (None, (PHONE, "sentinel text"), 2, r"no such command"),
    (None, ("credit", PHONE), 2, r"arguments too many"),
    (None, ("send-many", "none.csv"), 2, r"none.csv: No such file"),
]


@pytest.mark.parametrize(("fault", "arguments", "code", "pattern"), EXIT_CODES)
def test_how_it_ends(
    call: Call, fault: dict[str, Any] | None, arguments: tuple[str, ...], code: int, pattern: str
) -> None:
    if fault:
        control("POST", "faults", fault)
    done = call(*arguments[:1], *(["--emulator"] if arguments[0] in COMMANDS else []), *arguments[1:])
    assert (done.returncode, bool(re.search(pattern, done.stderr))) == (code, True), done.stderr
    assert done.stderr == "" or re.fullmatch(r"payamak: [^\n]+\n", done.stderr), "an error is one line"
    assert PHONE[1:] not in done.stderr
    assert "sentinel" not in done.stderr


COMMANDS = {"send", "send-many", "status", "received", "credit"}


def test_no_settings(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("credit")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("payamak: no gateway: give --gateway")
    done = call("send", "-g", "smsir", PHONE, "hi")
    assert done.returncode == 4
    assert "PAYAMAK_SMSIR_USER_API_KEY and PAYAMAK_SMSIR_SECRET_KEY" in done.stderr
    for name, value in {"USERNAME": "u", "PASSWORD": "p", "BASE_URL": "http://127.0.0.1:1/services.jspd"}.items():
        monkeypatch.setenv(f"PAYAMAK_OPGATEWAY_{name}", value)
    done = call("send", "-g", "opgateway", PHONE, "hi")
    assert (done.returncode, "PAYAMAK_OPGATEWAY_SENDER" in done.stderr) == (4, True)
    monkeypatch.setenv("PAYAMAK_OPGATEWAY_BASE_URL", "http://panel.example/")
    done = call("credit", "-g", "opgateway")
    assert (done.returncode, "https://" in done.stderr) == (4, True)


def test_nobody_listens(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    with dead_port() as port:
        monkeypatch.setenv("PAYAMAK_EMULATOR_URL", f"http://127.0.0.1:{port}")
        done = call("credit", "--emulator")
        sending = call("send", "--emulator", PHONE, "hi")
    assert (done.returncode, done.stdout) == (1, "")
    reason = (
        f"no connection to the gateway came about: {os.strerror(errno.ECONNREFUSED)}; is `payamak emulator` running?"
    )
    assert done.stderr == f"payamak: ghasedak: {reason}\n"
    assert sending.stderr == f"payamak: 1 not sent: ConnectionFailedError: {reason}\n"


def test_an_answer_that_cannot_be_understood_is_shown_on_request(call: Call) -> None:
    for options, shown in (((), 0), (("--verbose",), 1)):
        control("POST", "faults", {"kind": "garbage"})
        done = call("send", "--emulator", PHONE, "hi", "--on-unknown", "leave", *options)
        assert done.stderr.count('payamak: ghasedak says: {"result": <garbage\n') == shown


def test_an_answer_that_cannot_be_understood_moves_no_cursor(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    call("credit", "--emulator", "--verbose")
    log_words(make_unreadable(b"\x1b[31mred \xff" + b"x" * 100_000))
    shown = capsys.readouterr().err
    assert shown.startswith("payamak: the gateway says: \\x1b[31mred \ufffdxxx")
    assert len(shown) < 1100


def make_unreadable(body: bytes) -> ReplyError:
    error = ReplyError("no JSON")
    error.body = body
    return error


@pytest.mark.parametrize("gateway", ["ghasedak", "opgateway"])
def test_a_time_that_is_past_sends_nothing(gateway: str, call: Call, payamak: Command) -> None:
    file = payamak.folder / "rows.csv"
    today = datetime.datetime.now(datetime.UTC)
    past, later = (f"{today + datetime.timedelta(days=days):%Y-%m-%d %H:%M}" for days in (-300, 60))
    file.write_text(f"number,text,send_at\n{PHONE},a,{past}\n{PHONE},b,1405/11/02 10:00\n{PHONE},c,{later}\n")
    for more in (["--dry-run"], []):
        done = call("send-many", str(file), "--emulator", "-g", gateway, *more)
        assert done.returncode == 1
        said = done.stdout if more else (payamak.folder / "rows.emulator.results.csv").read_text()
        assert "send_at is more than 5 minutes in the past" in said
        assert "must be in the Gregorian calendar" in said
    assert [message["text"] for message in sent()] == ["c"]
    alone = call("send", "--emulator", "-g", gateway, PHONE, "hi", "--send-at", past)
    assert (alone.returncode, "more than 5 minutes in the past" in alone.stderr) == (1, True)
    alone = call("send", "--emulator", "-g", gateway, PHONE, "hi", "--send-at", "۱۴۰۵/۱۱/۰۲ ۱۰:۰۰")
    assert (alone.returncode, "Gregorian calendar" in alone.stderr) == (2, True)
    assert len(sent()) == 1


def test_verbose_tells_what_is_tried(payamak: Command) -> None:
    control("POST", "faults", {"kind": "drop_after_read"})
    done = payamak.emulated("credit", "--verbose")
    assert done.returncode == 0
    assert "payamak: account: attempt 1 of at most 3 failed" in done.stderr


def test_a_terminal_that_knows_no_persian(payamak: Command) -> None:
    latin = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    fresh = Command(payamak.folder, FRESH)
    done = fresh.emulated("send", "۰۹۱۲۱۲۳۴۵۶۷", "سلام", variables=latin)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u06f0\u06f9" in done.stdout
    (record,) = lines_of_json(fresh.emulated("send", "۰۹۱۲۱۲۳۴۵۶۷", "سلام", "--json", variables=latin).stdout)
    assert record["recipient"] == "۰۹۱۲۱۲۳۴۵۶۷"


def test_help_version_and_no_arguments(payamak: Command) -> None:
    shown = Command(payamak.folder, FRESH).run("--help")
    assert shown.returncode == 0
    assert all(command in shown.stdout for command in COMMANDS | {"emulator"})
    assert re.fullmatch(r"payamak \d[^\n]*\n", payamak.run("--version").stdout)
    shown = payamak.run()
    assert shown.returncode in (0, 2)  # typer has changed its mind about it
    assert shown.stderr == ""
    assert "Usage: payamak" in shown.stdout


def test_completion(payamak: Command) -> None:
    def complete(*words: str) -> list[str]:
        variables = {
            "_PAYAMAK_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(["payamak", *words]),
            "COMP_CWORD": str(len(words)),
        }
        return payamak.run(variables=variables).stdout.split()

    assert complete("send", "--gateway", "g") == ["ghasedak"]
    assert complete("s") == ["send", "send-many", "status"]
    assert complete("send-many", "--on-unknown", "r") == ["resend"]


def test_a_reader_that_leaves(payamak: Command) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        process = payamak.start("credit", "--emulator", stdout=output)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (1, b"")


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(
    ("fault", "signals", "outcome"),
    [
        ({"kind": "delay_after", "seconds": 1}, [signal.SIGINT], "sent"),
        # Of one kind the second could be lost on the way.
        ({"kind": "hang"}, [signal.SIGINT, signal.SIGTERM], "unknown"),
    ],
)
def test_ctrl_c_while_the_answer_is_awaited(
    payamak: Command, fault: dict[str, Any], signals: list[signal.Signals], outcome: str
) -> None:
    control("POST", "faults", fault)
    process = payamak.start("send", PHONE, "hi", "--emulator", "--json")
    wait_for_messages(1)
    for number in signals:
        process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    # Which of two comes first is not for us to say.
    assert process.returncode in {128 + number for number in signals}
    (record,) = lines_of_json(output.decode())
    assert record["outcome"] == outcome
    assert errors.decode().count("\n") == (outcome == "unknown")


def wait_for_messages(count: int) -> None:
    while len(sent()) < count:
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 0.0.0.0 leads nowhere")
def test_an_emulator_in_the_container_beside(payamak: Command) -> None:
    """To the clients, 0.0.0.0 is an address of another machine, as ``sms`` in a compose file is."""
    arguments = ["emulator", "--host", "0.0.0.0", "--allow-remote", "--port", "0"]  # noqa: S104
    with subprocess.Popen([*payamak.command, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [next(process.stdout)]
        while "ready" not in lines[-1]:
            lines.append(next(process.stdout))
        printed = lines[-1].split()[-1]
        assert "allow_http=True" in "".join(lines)
        for url in (printed, printed.replace("127.0.0.1", "0.0.0.0")):  # noqa: S104
            done = payamak.emulated("credit", variables={"PAYAMAK_EMULATOR_URL": url})
            assert (done.returncode, done.stdout, done.stderr) == (0, "1000000\n", "")
        process.terminate()
        assert process.wait(30) == 0


def test_a_gateway_with_credentials_is_still_spoken_to_in_tls_only(payamak: Command) -> None:
    settings = {"PAYAMAK_GHASEDAK_API_KEY": "k", "PAYAMAK_GHASEDAK_BASE_URL": "http://sms:8650/v2/"}
    done = payamak.run("credit", "--gateway", "ghasedak", variables=settings)
    assert done.returncode == 4
    assert "https" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_the_emulator(payamak: Command) -> None:
    port = free_port()
    with subprocess.Popen(
        [*payamak.command, "emulator", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line == f"payamak emulator ready on http://127.0.0.1:{port}\n":
                break
        url = {"PAYAMAK_EMULATOR_URL": f"http://127.0.0.1:{port}"}
        assert payamak.emulated("credit", variables=url).stdout == "1000000\n"
        taken = payamak.run("emulator", "--port", str(port))
        assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
        process.send_signal(signal.SIGTERM)
        assert (process.wait(30), process.stderr.read()) == (0, "")
    refused = payamak.run("emulator", "--host", "0.0.0.0")  # noqa: S104
    assert refused.returncode == 2
    assert "--allow-remote" in refused.stderr

"""Bad arguments never leave the process, and the error names the one that is wrong."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from payamak.advgateway import AdvGatewayClient, InvalidArgumentError, Outcome, OutgoingMessage
from support.advgateway import FIRST, LINE, SECOND, make_style_client, reply
from support.ghasedak import failure_of
from support.raw_server import RawServer

# The arguments are wrong on purpose, so the client is of any type here.
BadCall = Callable[[Any, Any], Awaitable[Any]]
AWARE = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
HALF = "half a character: \ud83d"
BAD_TEXTS: list[object] = ["", " ", "\n\t\u00a0", None, 5, b"text", ["text"], HALF, "a\x00", "\x1b"]
BAD_NUMBERS: list[object] = [
    "",
    " ",
    "abc",
    "0912111111",
    "+981",
    "09121111111,0",
    None,
    9121111111,
    b"1",
    [FIRST],
    HALF,
]
BAD_LINES: list[object] = ["", "12", "abc", "1" * 21, "5000,222", 5000222, b"5000222", None, [LINE], HALF]
BAD_LISTS: list[object] = [[], (), None, 5, b"101", iter([])]
BAD_IDS: list[object] = [0, -1, True, "101", 1.0, None, 2**63]

CASES: list[tuple[str, BadCall, list[object]]] = [
    ("to", lambda client, bad: client.send(bad, "a", sender=LINE), BAD_NUMBERS),
    ("text", lambda client, bad: client.send(FIRST, bad, sender=LINE), BAD_TEXTS),
    ("sender", lambda client, bad: client.send(FIRST, "a", sender=bad), BAD_LINES),
    ("recipients", lambda client, bad: client.send_to_many(bad, "a", sender=LINE), BAD_LISTS),
    ("recipients[1]", lambda client, bad: client.send_to_many([FIRST, bad], "a", sender=LINE), BAD_NUMBERS),
    ("text", lambda client, bad: client.send_to_many([FIRST], bad, sender=LINE), BAD_TEXTS),
    ("sender", lambda client, bad: client.send_to_many([FIRST], "a", sender=bad), BAD_LINES),
    ("messages", lambda client, bad: client.send_pairs(bad), [*BAD_LISTS, "text"]),
    ("messages[1]", lambda client, bad: client.send_pairs([_message(), bad]), [None, "a", (FIRST, "a", LINE), {}]),
    ("messages[1].to", lambda client, bad: client.send_pairs([_message(), _message(to=bad)]), BAD_NUMBERS),
    ("messages[1].text", lambda client, bad: client.send_pairs([_message(), _message(text=bad)]), BAD_TEXTS),
    ("messages[1].sender", lambda client, bad: client.send_pairs([_message(), _message(sender=bad)]), BAD_LINES),
    ("messages[0].send_at", lambda client, bad: client.send_pairs([_message(send_at=bad)]), [AWARE]),
    ("messages[0].check_id", lambda client, bad: client.send_pairs([_message(check_id=bad)]), ["1", ""]),
    ("messages", lambda client, bad: client.send_pairs([_message(), _message(sender=bad)]), ["50002"]),
    ("message_ids", lambda client, bad: client.statuses(bad), [*BAD_LISTS, "101"]),
    ("message_ids[1]", lambda client, bad: client.statuses([101, bad]), BAD_IDS),
    # All of them are looked at before the first of several requests.
    ("message_ids[70]", lambda client, bad: client.statuses([*range(1, 71), bad]), BAD_IDS),
]


def _message(to: Any = FIRST, text: Any = "text", sender: Any = LINE, **more: Any) -> OutgoingMessage:
    return OutgoingMessage(to, text, sender, **more)


@pytest.mark.parametrize("style", ["struct", "rest"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
async def test_bad_argument(case: tuple[str, BadCall, list[object]], style: str) -> None:
    argument, call, values = case
    async with RawServer(reply(b"")) as server:
        async with make_style_client(style, server.url) as client:
            for value in values:
                error: Any = await failure_of(call(client, value))
                assert type(error) is InvalidArgumentError, value
                assert (error.argument, error.outcome) == (argument, Outcome.NOT_SENT)
                assert error.gateway == "advgateway"
                assert error.operation in ("send", "send_to_many", "send_pairs", "statuses")
                assert error.operation_id
                assert argument in str(error)
        assert server.connections == 0


SENDER_FORMS = {"50001": "50001", "+98 50001": "50001", "۵۰۰۰۱": "50001"}


@pytest.mark.parametrize("sender", SENDER_FORMS)
async def test_lines_of_the_same_number_are_one(sender: str) -> None:
    async with RawServer(reply(b"")) as server, make_style_client("rest", server.url) as client:
        error = await failure_of(client.send_pairs([_message(), _message(SECOND, sender=sender)]))
        assert not isinstance(error, InvalidArgumentError)
        assert len(server.requests) == 1


BAD_SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("username", {"username": ""}),
    ("username", {"username": None}),
    ("password", {"password": " "}),
    ("password", {"password": 5}),
    ("base_url", {"base_url": ""}),
    ("base_url", {"base_url": "ftp://example.com/"}),
    ("base_url", {"base_url": "http://example.com/"}),
    ("base_url", {"base_url": "https://example.com/server.php?wsdl"}),
    ("base_url", {"base_url": "https://user:pass@example.com/"}),
    ("transport", {"transport": "soap"}),
    ("transport", {"transport": None}),
    ("profile", {"profile": None}),
    ("profile", {"profile": {}}),
    ("retry", {"retry": 3}),
    ("timeout", {"timeout": 0}),
    ("hooks", {"hooks": [5]}),
    ("session", {"session": object()}),
]


@pytest.mark.parametrize(("argument", "fields"), BAD_SETTINGS, ids=lambda value: repr(value).partition(" at 0x")[0])
def test_bad_setting(argument: str, fields: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"username": "u", "password": "p", "base_url": "https://example.com/", **fields}
    with pytest.raises(InvalidArgumentError) as caught:
        AdvGatewayClient(**settings)
    assert caught.value.argument == argument
    assert "pass@" not in str(caught.value)


def test_base_url_is_required() -> None:
    client: Any = AdvGatewayClient
    with pytest.raises(TypeError, match="base_url"):
        client("u", "p")

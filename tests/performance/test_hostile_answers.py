"""What a hostile answer costs: so many function calls for each of its bytes, and never more than is said in a moment.

What takes for ever within C is counted by nobody: there the answer must be refused, or the time of the test runs out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from payamak.common import GatewayError, Outcome, ReplyError, RetryPolicy
from payamak.common.session import Reply
from support.advgateway import in_response
from support.canned import Canned
from support.gateways import EACH, Call, Gateway
from support.gateways.advgateway import SOAP
from support.handed_on import find_costly

from benchmarks.calls import Counter

MARK = "hostile"
DIGITS = "9" * 200_000
WIDE = 3_000
HOSTILE: dict[str, str] = {
    "a power": '"1e600000"',
    "a negative power": '"-1e600000"',
    "a small power": '"1e-600000"',
    "a power of nothing": '"0e600000"',
    "a large float": "1e300",
    "an endless float": "1e600000",
    "no number": "NaN",
    "infinity": "-Infinity",
    "digits": DIGITS,
    "digits in a string": f'"{DIGITS}"',
    "digits of a fraction": f"0.{DIGITS}",
    "digits of an exponent": f"1e{DIGITS}",
    "an id of 64 bits": str(2**63),
    "half a character": r'"\ud800"',
    "half a character in a name": r'{"\udfff": "\ud800"}',
    "brackets in a string": json.dumps("[" * 100_000),
    "lists beside each other": f"[{','.join(['[]'] * WIDE)}]",
    "objects beside each other": f"[{','.join(['{}'] * WIDE)}]",
    "numbers beside each other": f"[{','.join(map(str, range(WIDE)))}]",
    "strings beside each other": json.dumps(["[]"] * WIDE),
    "one name again and again": "{" + ",".join(['"id": 1'] * WIDE) + "}",
    "many names": json.dumps(dict.fromkeys(range(WIDE), 1)),
    "ids that share a hash": f"[{','.join(str(number * (2**61 - 1)) for number in range(2000))}]",
    **{f"{depth} lists": "[" * depth + "]" * depth for depth in (33, 600, 5_000, 100_000)},
    **{f"{depth} objects": '{"a":' * depth + "1" + "}" * depth for depth in (33, 600, 5_000, 100_000)},
    **{f"{depth} lists behind a code": "[0," * depth + "0" + "]" * depth for depth in (33, 600, 5_000, 100_000)},
}
XML: dict[str, str] = {
    **{f"{depth} elements": "<a>" * depth + "</a>" * depth for depth in (33, 600, 5_000, 100_000)},
    "elements beside each other": f"<return>{'<item/>' * WIDE}</return>",
    "names beside each other": "<return>" + "".join(f"<a{number}/>" for number in range(WIDE)) + "</return>",
    "a number of many digits": f"<return><ErrCode>0</ErrCode><result>{DIGITS}</result></return>",
    "a power": "<return><ErrCode>0</ErrCode><result>1e600000</result></return>",
    "half a character": "<return><ErrCode>0</ErrCode><result>&#xD800;</result></return>",
}


def put_into(body: bytes, value: str) -> bytes:
    """The answer with JSON in the place of a mark, which may stand in a string itself."""
    quoted = json.dumps(value, ensure_ascii=False)[1:-1]
    return body.replace(rf"\"{MARK}\"".encode(), quoted.encode()).replace(f'"{MARK}"'.encode(), value.encode())


def answers(gateway: Gateway, value: str) -> Iterator[bytes]:
    yield value.encode()
    for wrap in gateway.wraps:
        yield put_into(wrap(MARK), value)


def chosen(gateway: Gateway) -> list[Call]:
    names = ("account", "credit", "delivery", "statuses", "received", "contacts.page")
    return [gateway.send, *(call for name, call in gateway.calls.items() if name in names)]


async def run(call: Call, client: Any) -> Any:
    try:
        return await call.run(client)
    except ReplyError as error:
        return list(error.message_ids) if error.outcome is Outcome.UNKNOWN else error
    except GatewayError as error:
        return error.code


async def check(gateway: Gateway, bodies: Iterable[bytes]) -> None:
    async with Canned() as session:
        client = gateway.connect("https://gateway.example/", session=session, retry=RetryPolicy(attempts=1))
        for call in chosen(gateway):
            session.reply = Reply(200, {}, b"")
            await run(call, client)  # What is loaded once is no part of the cost.
            for body in bodies:
                session.reply = Reply(200, {}, body)
                counter = Counter()
                with counter.counting():
                    result = await run(call, client)
                assert not find_costly(result)
                assert counter.calls < 3_000 + 8 * len(body)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
@EACH
async def test_what_it_costs(gateway: Gateway, name: str) -> None:
    await check(gateway, [*answers(gateway, HOSTILE[name])])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", XML)
async def test_what_xml_costs(name: str) -> None:
    await check(SOAP, [in_response(XML[name])])


@pytest.mark.timeout(20)
@EACH
async def test_what_a_page_of_one_long_word_costs(gateway: Gateway) -> None:
    async with Canned() as session:
        client = gateway.connect("https://gateway.example/", session=session, retry=RetryPolicy(attempts=1))
        session.reply = Reply(401, {}, b"<html>" + b"a" * 8_000_000)
        with pytest.raises(GatewayError):
            await gateway.send.run(client)

"""Arguments that cannot be right: told before anything leaves the process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from payamak.opgateway import Gender, InvalidArgumentError, Operator, Outcome
from support.ghasedak import failure_of
from support.opgateway import FIRST, LINE, NEW_USER, TEXT, TIME, Call, make_client, reply, url_of
from support.raw_server import RawServer

ANY: Any = None
MCI = Operator.MCI
HALF = "half \udcff"

BAD_NUMBERS: list[Any] = ["", "0912", "text", FIRST + "x", FIRST + "1", 9121111111, None, b"09121111111", [FIRST]]
BAD_TEXTS: list[Any] = ["", " \n", HALF, None, 5, TEXT.encode()]
BAD_SENDERS: list[Any] = ["", "12", "x" * 5, "1" * 21, 3000505, None]
BAD_TIMES: list[Any] = [
    datetime(2030, 1, 1),
    "2030-01-01 00:00:00",
    1893456000,
    datetime.max.replace(tzinfo=UTC),
]
BAD_LISTS: list[Any] = [[], (), None, 5, b"09121111111", iter(())]
BAD_FIELDS: list[Any] = ["", None, HALF, True]
NO_USERS: list[Any] = [None, {}, "x"]
NO_OPS: list[Any] = ["", None, 5]
NO_FIELDS: list[Any] = [[], "a", {5: "a"}, {"a b": "c"}, {"a&b": "c"}, {"": "c"}]
BAD_IDS: list[Any] = [0, -1, True, "5", 5.0, None, 2**63, []]
BAD_LISTS_OF_IDS: list[tuple[Any, str]] = [([], ""), ("5", ""), (5, ""), (None, ""), ([5, 0], "[1]"), (["5"], "[0]")]

CASES: list[tuple[str, str, Call]] = [
    *(("send", "to", lambda client, bad=bad: client.send(bad, TEXT, sender=LINE)) for bad in BAD_NUMBERS),
    *(("send", "text", lambda client, bad=bad: client.send(FIRST, bad, sender=LINE)) for bad in BAD_TEXTS),
    *(("send", "sender", lambda client, bad=bad: client.send(FIRST, TEXT, sender=bad)) for bad in BAD_SENDERS),
    *(
        ("send", "send_at", lambda client, bad=bad: client.send(FIRST, TEXT, sender=LINE, send_at=bad))
        for bad in BAD_TIMES
    ),
    *(
        ("send_to_many", "recipients[1]", lambda client, bad=bad: client.send_to_many([FIRST, bad], TEXT, sender=LINE))
        for bad in BAD_NUMBERS
    ),
    *(
        ("send_to_many", "recipients", lambda client, bad=bad: client.send_to_many(bad, TEXT, sender=LINE))
        for bad in BAD_LISTS
    ),
    ("send_to_many", "recipients[0]", lambda client: client.send_to_many("text", TEXT, sender=LINE)),
    ("send_to_many", "text", lambda client: client.send_to_many([FIRST], "", sender=LINE)),
    ("send_to_many", "sender", lambda client: client.send_to_many([FIRST], TEXT, sender="")),
    ("send_to_many", "send_at", lambda client: client.send_to_many([FIRST], TEXT, sender=LINE, send_at=BAD_TIMES[0])),
    *(("delivery", "bulk_id", lambda client, bad=bad: client.delivery(bad)) for bad in BAD_IDS),
    *(("check_message", "bulk_id", lambda client, bad=bad: client.check_message(bad)) for bad in BAD_IDS),
    *(("job_trends", "job_id", lambda client, bad=bad: client.job_trends(bad)) for bad in BAD_IDS),
    *(("send_to_job", "job_id", lambda client, bad=bad: client.send_to_job(bad, [1], TEXT, sender=LINE))
      for bad in BAD_IDS),
    *(("send_to_phone_books", f"book_ids{at}",
       lambda client, bad=bad: client.send_to_phone_books(bad, TEXT, sender=LINE)) for bad, at in BAD_LISTS_OF_IDS),
    *(("job_count", f"trend_ids{at}", lambda client, bad=bad: client.job_count(bad)) for bad, at in BAD_LISTS_OF_IDS),
    *(("send_to_job", f"trend_ids{at}", lambda client, bad=bad: client.send_to_job(1, bad, TEXT, sender=LINE))
      for bad, at in BAD_LISTS_OF_IDS),
    ("send_to_phone_books", "text", lambda client: client.send_to_phone_books([1], "", sender=LINE)),
    ("send_to_phone_books", "sender", lambda client: client.send_to_phone_books([1], TEXT, sender="")),
    ("send_to_job", "text", lambda client: client.send_to_job(1, [1], HALF, sender=LINE)),
    ("send_to_job", "sender", lambda client: client.send_to_job(1, [1], TEXT, sender="x")),
    *(("postal_code_count", "operator", lambda client, bad=bad: client.postal_code_count(bad, "13"))  # pyright: ignore[reportArgumentType]
      for bad in ("tci", None, 1, Gender.MEN)),
    *(("postal_code_count", "gender", lambda client, bad=bad: client.postal_code_count(MCI, "13", gender=bad))  # pyright: ignore[reportArgumentType]
      for bad in (0, 1, True, "men", None)),
    *(("postal_code_count", "postal_code", lambda client, bad=bad: client.postal_code_count(MCI, bad))  # pyright: ignore[reportArgumentType]
      for bad in ("", " ", 13, None)),
    ("send_to_postal_code", "operator", lambda client: client.send_to_postal_code(ANY, "13", TEXT, sender=LINE)),
    ("send_to_postal_code", "postal_code", lambda client: client.send_to_postal_code(MCI, "", TEXT, sender=LINE)),
    ("send_to_postal_code", "text", lambda client: client.send_to_postal_code(MCI, "13", "", sender=LINE)),
    ("send_to_postal_code", "sender", lambda client: client.send_to_postal_code(MCI, "13", TEXT, sender="x")),
    ("send_to_postal_code", "gender",
     lambda client: client.send_to_postal_code(MCI, "13", TEXT, sender=LINE, gender=ANY)),
    *(("call", "op", lambda client, bad=bad: client.call(bad)) for bad in NO_OPS),
    *(("call", "fields", lambda client, bad=bad: client.call("lines", bad))
      for bad in NO_FIELDS),
    *(("call", f"fields['{name}']", lambda client, name=name, bad=bad: client.call("lines", {name: bad}))
      for name, bad in (("a", ANY), ("a", HALF), ("uname", "x"), ("op", "x"))),
    ("call", "only_reads", lambda client: client.call("lines", only_reads=ANY)),
    *(("create_user", "new_user", lambda client, bad=bad: client.create_user(bad)) for bad in NO_USERS),
    *(("create_user", f"new_user.{field.name}",
       lambda client, name=field.name, bad=bad: client.create_user(attrs.evolve(NEW_USER, **{name: bad})))
      for field in attrs.fields(type(NEW_USER)) for bad in BAD_FIELDS
      if bad is not None or field.default is attrs.NOTHING),
    *(("create_user", "new_user.access_id",
       lambda client, bad=bad: client.create_user(attrs.evolve(NEW_USER, access_id=bad))) for bad in (0, -1, 2.0, [2])),
]  # fmt: skip


async def test_no_bad_argument_leaves_the_process() -> None:
    """Each names the argument and the operation, has an operation id, and says: not sent."""
    ids: set[str | None] = set()
    async with RawServer(reply([0, 10929800])) as server, make_client(url_of(server)) as client:
        for number, (operation, argument, call) in enumerate(CASES):
            error = await failure_of(call(client))
            assert type(error) is InvalidArgumentError, (number, operation, argument)
            assert (error.operation, error.argument) == (operation, argument), number
            assert (error.gateway, error.outcome) == ("opgateway", Outcome.NOT_SENT)
            assert str(error).startswith(f"opgateway {operation}: ")
            ids.add(error.operation_id)
        assert server.connections == 0
    assert len(ids) == len(CASES)
    assert None not in ids


@pytest.mark.parametrize("send_at", [None, TIME])
async def test_what_is_right_does_leave_it(send_at: datetime | None) -> None:
    async with RawServer(reply([0, 10929800])) as server, make_client(url_of(server)) as client:
        assert await client.send("۰۹۱۲ ۱۱۱-۱۱۱۱", TEXT, sender="۳۰۰۰۵۰۵", send_at=send_at) == 10929800
        assert (server.requests[0].form["to"], server.requests[0].form["from"]) == (f'["{FIRST}"]', LINE)

"""An answer behind the warnings of a server: unknown, with the ids in it, and to be seen by those who ask."""

from __future__ import annotations

import pytest
from payamak.common import Outcome, PayamakError, ReplyError
from payamak.common.session import Reply
from support.canned import Canned
from support.gateways import EACH, Gateway
from support.raw_server import RawServer, answer

WARNING = (
    b"<br />\n<b>Warning</b>:  mysqli_connect(): Too many connections [<a href='function.mysqli'>...</a>] in"
    b" <b>/home/p/class/sms/db.php</b> on line <b>3</b><br />\n"
)
IDS = {"ghasedak": (70001,), "opgateway": (10929800,), "advgateway": (101,), "smsir": ()}


@EACH
@pytest.mark.parametrize("status", [200, 403, 500])
async def test_an_id_behind_a_warning(gateway: Gateway, status: int) -> None:
    if gateway.name == "smsir":
        pytest.skip("it runs no PHP")
    body = WARNING + gateway.send_reply
    async with RawServer(answer(body, status)) as server, gateway.connect(server.url, keep_replies=True) as client:
        with pytest.raises(ReplyError) as caught:
            await gateway.send.run(client)
    error = caught.value
    assert error.message_ids == IDS[gateway.name]
    assert error.outcome is Outcome.UNKNOWN
    assert error.http_status == status
    assert error.body == body
    assert error.references, "it can be asked for"


@EACH
async def test_an_answer_that_nobody_understands_can_be_seen(gateway: Gateway) -> None:
    async with RawServer(answer(WARNING)) as server, gateway.connect(server.url, keep_replies=True) as client:
        with pytest.raises(ReplyError) as caught:
            await gateway.send.run(client)
    assert caught.value.body == WARNING
    assert caught.value.message_ids == ()


@EACH
@pytest.mark.timeout(40)
async def test_a_page_of_one_long_word(gateway: Gateway) -> None:
    """To look on from each of its letters would take minutes."""
    async with Canned() as session:
        client = gateway.connect("https://gateway.example/", session=session)
        for start in (b"<html>", b""):
            session.reply = Reply(401, {}, start + b"a" * 2_000_000)
            with pytest.raises(PayamakError):
                await gateway.send.run(client)


@EACH
async def test_what_stands_within_a_page_is_no_id(gateway: Gateway) -> None:
    page = b"<html><script>var result = " + gateway.send_reply + b";</script><p>Your address is not allowed.</p></html>"
    async with RawServer(answer(page, 403)) as server, gateway.connect(server.url) as client:
        with pytest.raises(PayamakError) as caught:
            await gateway.send.run(client)
    assert not isinstance(caught.value, ReplyError)
    assert caught.value.outcome is not Outcome.UNKNOWN

"""A list of sends that never ends: the search for a lost message does, and says that nobody knows."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from payamak.common import HttpSession, OnUnknown, Outcome, OutgoingMessage, RetryPolicy
from payamak.common.session import Reply, Request
from payamak.smsir import MemoryTokenStore, ReplyError, SmsIrClient, Token


class Ready(MemoryTokenStore):
    """Has a token."""

    async def get(self, key: str) -> Token | None:
        return Token("a-token", 4e9)


class Endless(HttpSession):
    """Answers nothing to sends, and always has another page of them in its list."""

    def __init__(self, *, of_recipients: bool = False) -> None:
        super().__init__()
        self.pages = 0
        self._of_recipients = of_recipients
        self._ids = itertools.count(10**9, -1)

    async def send(self, request: Request, *, deadline: float | None, **_options: Any) -> Reply:
        if "SendByMobileNumbers" in request.url:
            return Reply(200, {}, b"?")
        self.pages += 1
        entry = {"Id": next(self._ids), "BatchKey": "a-batch", "Message": "text", "MobileNumber": "09129999999"}
        if self.pages == 1 or (self._of_recipients and "GetSentMessagesMobileNumbers" not in request.url):
            entry["Id"] = self.pages  # The first page is read before the message leaves.
        return Reply(200, {}, json.dumps({"IsSuccessful": True, "Messages": [entry]}).encode())


@pytest.mark.parametrize("of_recipients", [False, True])
async def test_the_search_for_a_lost_message_ends(of_recipients: bool) -> None:
    async with Endless(of_recipients=of_recipients) as session:
        client = SmsIrClient(
            "key", "secret", base_url="https://gateway.example/", session=session, token_store=Ready(),
            retry=RetryPolicy(attempts=1),
        )  # fmt: skip
        sending = client.send_many([OutgoingMessage("09121111111", "text")], on_unknown=OnUnknown.ASK, grace=0)
        reports = [report async for report in sending]
        assert [report.outcome for report in reports] == [Outcome.UNKNOWN]
        # One is asked for before the message leaves.
        assert session.pages == 1001


async def test_who_goes_through_all_of_it_is_told() -> None:
    async with Endless() as session:
        client = SmsIrClient("key", "secret", base_url="https://gateway.example/", session=session, token_store=Ready())
        with pytest.raises(ReplyError, match="does not end"):
            async for _ in client.messages.iterate_sent():
                pass
        assert session.pages == 20_000

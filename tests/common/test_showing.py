"""One way to see what reprs hide."""

from __future__ import annotations

import pytest
from payamak.common import Outcome, OutgoingMessage, ReplyError, SendReport, SendResult, show
from payamak.ghasedak import Contact
from payamak.smsir import NewContact

NUMBER, TEXT = "09121234567", "سلام"
REPORT = SendReport(0, OutgoingMessage(NUMBER, TEXT, check_id="a-1"), Outcome.SENT, 7, reference="b-2")
SHOWN_REPORT = (
    f"SendReport(index=0, message=OutgoingMessage(to='{NUMBER}', text='{TEXT}', sender=None, send_at=None, "
    "check_id='a-1'), outcome=<Outcome.SENT: 'sent'>, message_id=7, error=None, reference='b-2', from_journal=False, "
    "is_cut_short=False)"
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Contact(NUMBER, "سارا"), f"Contact(number='{NUMBER}', first_name='سارا', last_name=None, email=None)"),
        (REPORT, SHOWN_REPORT),
        (
            [SendResult(NUMBER, error=ReplyError("no"))],
            f"[SendResult(recipient='{NUMBER}', message_id=None, error=ReplyError('no'))]",
        ),
        ({"a": Contact(NUMBER)}, f"{{'a': {show(Contact(NUMBER))}}}"),
        (None, "None"),
        (TEXT, f"'{TEXT}'"),
    ],
)
def test_all_that_a_value_holds_is_shown(value: object, shown: str) -> None:
    assert show(value) == shown


def test_a_repr_shows_none_of_it() -> None:
    for value in (Contact(NUMBER, TEXT), NewContact(NUMBER, first_name=TEXT)):
        assert NUMBER not in repr(value)
        assert TEXT not in repr(value)
        assert NUMBER in show(value)
        assert TEXT in show(value)

"""By what messages are known."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from typing import Any

import attrs
import pytest
from payamak.common import JournalError, OutgoingMessage
from payamak.common.many.keys import KeyMaker

NUMBER = "09121234567"
MESSAGE = OutgoingMessage(NUMBER, "text", "10008566")
LATER = datetime.datetime(2030, 1, 1, 8, tzinfo=datetime.UTC)


def make(*batches: list[OutgoingMessage]) -> list[list[tuple[str, bool]]]:
    with contextlib.closing(KeyMaker()) as keys:
        return [keys.make([(message.to, message) for message in batch]) for batch in batches]


def test_what_is_alike_is_counted_in_its_order() -> None:
    other = attrs.evolve(MESSAGE, text="other")
    first, second = make([MESSAGE, other, MESSAGE], [other, MESSAGE, MESSAGE])
    key, others = first[0][0], first[1][0]
    assert [one for one, _ in first] == [key, others, f"{key} 2"]
    assert [one for one, _ in second] == [f"{others} 2", f"{key} 3", f"{key} 4"]
    assert not any(is_repeated for _, is_repeated in first + second)


def test_a_batch_of_any_size() -> None:
    messages = [attrs.evolve(MESSAGE, text=f"text {index % 1500}") for index in range(3000)]
    (made,) = make(messages)
    assert len({key for key, _ in made}) == 3000
    assert all(key.endswith(" 2") is (index >= 1500) for index, (key, _) in enumerate(made))


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"text": "other"}, False),
        ({"to": "09121234568"}, False),
        ({"sender": "10008567"}, False),
        ({"sender": None}, False),
        ({"sender": "+9810008566"}, True),
        ({"sender": "۱۰۰۰ ۸۵۶۶"}, True),
        ({"send_at": LATER}, False),
        ({"check_id": "c"}, False),
    ],
)
def test_what_makes_another_message(change: dict[str, Any], is_same: bool) -> None:
    (((key, _), (other, _)),) = make([MESSAGE, attrs.evolve(MESSAGE, **change)])
    assert (other == f"{key} 2") is is_same


def test_a_time_is_one_in_every_zone() -> None:
    there = LATER.astimezone(datetime.timezone(datetime.timedelta(hours=3, minutes=30)))
    (((key, _), (other, _)),) = make([attrs.evolve(MESSAGE, send_at=at) for at in (LATER, there)])
    assert other == f"{key} 2"


def test_a_check_id_is_for_one_message() -> None:
    messages = [attrs.evolve(MESSAGE, check_id=check_id) for check_id in ("c", " c ", "d", "c")]
    (made,) = make(messages)
    assert [is_repeated for _, is_repeated in made] == [False, True, False, True]
    assert made[0][0] == made[1][0]


def test_what_cannot_be_kept() -> None:
    keys = KeyMaker()
    keys.close()
    with pytest.raises(JournalError, match="temporary file") as caught:
        keys.make([(NUMBER, MESSAGE)])
    assert isinstance(caught.value.__cause__, sqlite3.Error)

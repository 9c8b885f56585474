"""Pages of 50, the newest first, and lists that go on from a last id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from .envelope import argument
from .state import State

_SIZE = 50
_Item = TypeVar("_Item")


def page(newest_first: Sequence[_Item], number: int) -> Sequence[_Item]:
    """One page; page 0 is the newest, and a page past the end is empty."""
    if number < 0:
        raise argument("pageId")
    return newest_first[number * _SIZE : (number + 1) * _SIZE]


def after_last_id(
    state: State, newest_first: Sequence[_Item], last_id: int, get_id: Callable[[_Item], int]
) -> Sequence[_Item]:
    """What follows an id, in the direction that the switch says; 0 begins with the newest, as the document says.

    INFERRED: "newer" gives the 50 next ones, the oldest of them first.
    """
    if last_id < 0:
        raise argument("lastId")
    if last_id == 0:
        return newest_first[:_SIZE]
    if state.switches.last_id_direction == "newer":
        return [item for item in reversed(newest_first) if get_id(item) > last_id][:_SIZE]
    return [item for item in newest_first if get_id(item) < last_id][:_SIZE]

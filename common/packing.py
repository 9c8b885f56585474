"""Which messages travel together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from .carrier import Item, text_key
from .results import OutgoingMessage

Group = dict[str, Item]
"""Messages by number. No number is in a request twice: some gateways drop the second of them."""


class Packer:
    """Gathers messages into requests.

    Messages of one text and line wait for one another until they fill a request. The others travel with those of other
    texts, where the gateway can carry that.

    Args:
        limit: The most messages in one request.
        pair_key: What messages of different texts must share to travel together; ``None`` if they cannot.
    """

    def __init__(self, limit: int, pair_key: Callable[[OutgoingMessage], Hashable | None]) -> None:
        self._limit = limit
        self._pair_key = pair_key
        self._groups: dict[Hashable, Group] = {}
        self.waiting = 0
        """How many messages wait for company."""

    def add(self, item: Item) -> list[Item]:
        """Add a message, and return those of a request that is thereby complete, or nothing."""
        key = text_key(item.message)
        group = self._groups.setdefault(key, {})
        complete: list[Item] = []
        if item.number in group:
            complete = list(group.values())
            group.clear()
        group[item.number] = item
        if len(group) == self._limit:
            complete = list(group.values())
            del self._groups[key]
        self.waiting += 1 - len(complete)
        return complete

    def take_all(self) -> Iterator[list[Item]]:
        """Take out all that wait, in as few requests as can be."""
        groups, self._groups = self._groups, {}
        self.waiting = 0
        mixed: dict[Hashable, Group] = {}
        for group in groups.values():
            key = self._pair_key(next(iter(group.values())).message)
            # One text to many is the shorter request, worth it for those who fill half of one.
            if key is None or len(group) * 2 >= self._limit:
                yield list(group.values())
                continue
            for item in group.values():
                pairs = mixed.setdefault(key, {})
                if item.number in pairs or len(pairs) == self._limit:
                    yield list(pairs.values())
                    pairs.clear()
                pairs[item.number] = item
        for pairs in mixed.values():
            yield list(pairs.values())

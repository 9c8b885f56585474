"""Which messages travel together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from ..results import OutgoingMessage
from .items import Item

Group = dict[str, Item]
"""Messages by number. No number is in a request twice: some gateways drop the second of them."""


class Packer:
    """Gathers messages into requests.

    Messages of one text and line wait for one another until they fill a request. The others travel with those of other
    texts, where the gateway can carry that.

    Args:
        limit: The most messages in one request.
        pair_key: What messages of different texts must share to travel together; ``None`` if they cannot.
        travels_alone: Whether a message must have a request of its own.
    """

    def __init__(
        self,
        limit: int,
        pair_key: Callable[[OutgoingMessage], Hashable | None],
        travels_alone: Callable[[Item], bool],
    ) -> None:
        self._limit = limit
        self._pair_key = pair_key
        self._travels_alone = travels_alone
        self._groups: dict[Hashable, Group] = {}
        self.waiting = 0
        """How many messages wait for company."""

    def add(self, items: Iterable[Item]) -> Iterator[list[Item]]:
        """Add messages, and yield those of each request that is thereby complete."""
        for item in items:
            if self._travels_alone(item):
                yield [item]
                continue
            group = self._groups.get(item.content)
            if group is None:
                group = self._groups[item.content] = {}
            complete = self._complete(group) if item.number in group else None
            group[item.number] = item
            self.waiting += 1
            if complete is not None:
                yield complete
            if len(group) == self._limit:
                del self._groups[item.content]
                yield self._complete(group)

    def _complete(self, group: Group) -> list[Item]:
        items = list(group.values())
        group.clear()
        self.waiting -= len(items)
        return items

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

"""Going through the pages of what came in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from .models import ReceivedMessage, ReceivedPage


async def iterate_inbox(
    fetch: Callable[[int], Awaitable[ReceivedPage]], page_size: int
) -> AsyncIterator[ReceivedMessage]:
    """Yield the messages of all pages, none of them twice, whether or not reading them marks them as read.

    Args:
        fetch: Fetches a page; the first is 0.
        page_size: How many messages a full page has.
    """
    seen: set[int] = set()
    total, page, found_in_pass = 0, 0, 0
    while True:
        found = await fetch(page)
        before = len(seen)
        for message in found.messages:
            if message.message_id not in seen:
                seen.add(message.message_id)
                yield message
        new = len(seen) - before
        found_in_pass += new
        total = max(total, found.total or 0)
        if new and (len(seen) < total if total else len(found.messages) >= page_size):
            page += 1
        elif page and found_in_pass and len(seen) < total:
            # If reading marks messages as read, what was not fetched yet has moved up to earlier pages.
            page, found_in_pass = 0, 0
        else:
            return

"""Answers without a socket, where thousands are read."""

from __future__ import annotations

from typing import Any

from payamak.common import HttpSession
from payamak.common.session import Reply, Request


class Canned(HttpSession):
    """A session that gives the same answer to every request."""

    reply: Reply

    async def send(self, request: Request, *, deadline: float | None, **_options: Any) -> Reply:
        if request.stamp and (stamping := request.stamp(request, deadline)):
            await stamping
        return self.reply

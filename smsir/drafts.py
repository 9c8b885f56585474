"""Texts kept for later: ``client.drafts``."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from ..common import checks
from ..common.fields import TehranTime, named
from . import operations
from .wire import Arguments, Requester, read_list, read_nothing


@attrs.frozen
class Draft:
    """A text kept for later. The gateway does not tell its id: see the panel.

    Attributes:
        text: The text.
        created_at: When it was made.
        persian_created_at: The same in the Persian calendar, as the vendor writes it.
    """

    text: str | None = attrs.field(default=None, repr=False, metadata=named("Message"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    persian_created_at: str | None = attrs.field(default=None, metadata=named("PersianCreationDateTime"))


# Inside the class, `list` is the method.
DraftList: TypeAlias = list[Draft]
_read_drafts = read_list("DraftMessageDetails", Draft)


class Drafts:
    """Texts kept for later. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def list(self) -> DraftList:
        """List all drafts. Vendor method: ``GetDraftMessages``."""
        return await self._request(operations.DRAFTS_LIST, Arguments, _read_drafts)

    async def create(self, text: str, *, title: str | None = None) -> DraftList:
        """Keep a text, and return what the gateway kept. Vendor method: ``AddOrUpdateDraftMessage`` without an id.

        Args:
            text: The text.
            title: A title. It is not in the vendor's document; some installations seem to ask for it.
        """
        return await self._request(operations.DRAFTS_CREATE, lambda: _arguments(None, text, title), _read_drafts)

    async def update(self, draft_id: int, text: str, *, title: str | None = None) -> DraftList:
        """Change a draft, and return what the gateway kept. Vendor method: ``AddOrUpdateDraftMessage``.

        Args:
            draft_id: Its id, from the panel.
            text: The new text.
            title: As in `create`.
        """
        return await self._request(
            operations.DRAFTS_UPDATE,
            lambda: _arguments(checks.require_id(draft_id, "draft_id"), text, title),
            _read_drafts,
        )

    async def delete(self, draft_id: int) -> None:
        """Remove a draft. Vendor method: ``DeleteDraftMessage``, a GET that is never repeated.

        Args:
            draft_id: Its id, from the panel.
        """
        await self._request(
            operations.DRAFTS_DELETE, lambda: Arguments({"id": checks.require_id(draft_id, "draft_id")}), read_nothing
        )


def _arguments(draft_id: int | None, text: str, title: str | None) -> Arguments:
    body: dict[str, int | str | None] = {"Id": draft_id, "Message": checks.require_text(text, "text")}
    if title is not None:
        body["Title"] = checks.require_text(title, "title")
    return Arguments(body=body)

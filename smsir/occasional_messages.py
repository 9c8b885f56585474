"""Ready-made texts for feasts and occasions: ``client.occasional_messages``."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from ..common import checks
from ..common.fields import TehranTime, named
from . import operations
from .wire import Arguments, Requester, read_list


@attrs.frozen
class OccasionalCategory:
    """A category of texts.

    Attributes:
        id: Its id.
        name: Its name.
        message_count: How many texts are in it.
    """

    id: int = attrs.field(metadata=named("Id"))
    name: str | None = attrs.field(default=None, metadata=named("Name"))
    message_count: int | None = attrs.field(default=None, metadata=named("MessageCount"))


@attrs.frozen
class OccasionalMessage:
    """A ready-made text.

    Attributes:
        text: The text.
        category_id: Its category.
        created_at: When it was written.
        expires_at: Until when it fits.
    """

    text: str | None = attrs.field(default=None, metadata=named("Message"))
    category_id: int | None = attrs.field(default=None, metadata=named("OccasionalMessageCategoryId"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    expires_at: TehranTime | None = attrs.field(default=None, metadata=named("ExpirationDateTime"))


# Inside the class, `list` is the method.
CategoryList: TypeAlias = list[OccasionalCategory]
OccasionalMessageList: TypeAlias = list[OccasionalMessage]


class OccasionalMessages:
    """Ready-made texts. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def categories(self) -> CategoryList:
        """List the categories. Vendor method: ``GetOccasionalMessageCategory``."""
        return await self._request(
            operations.OCCASIONAL_CATEGORIES, Arguments, read_list("OccasionalMessageCategory", OccasionalCategory)
        )

    async def list(self, category_id: int = 0) -> OccasionalMessageList:
        """List the texts of a category. Vendor method: ``GetOccasionalMessages``.

        Args:
            category_id: The category; 0, as in the vendor's sample, is probably all.
        """
        return await self._request(
            operations.OCCASIONAL_LIST,
            lambda: Arguments({"occasionalMessageCategoryId": checks.require_index(category_id, "category_id")}),
            read_list("OccasionalMessages", OccasionalMessage, also="OccasionalMessage"),
        )

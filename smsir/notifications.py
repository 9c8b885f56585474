"""The vendor's notices to the account: ``client.notifications``."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ..common import checks
from ..common.fields import TehranTime, named
from ..common.paging import iterate_pages
from . import operations
from .wire import Arguments, Requester, read_list, read_nothing


@attrs.frozen
class Notification:
    """A notice.

    Attributes:
        id: Its id.
        title: Its title.
        text: Its text.
        is_read: Whether it has been read.
        created_at: When it was written.
        starts_at: From when on it is shown.
        ends_at: Until when it is shown.
    """

    id: int = attrs.field(metadata=named("Id"))
    title: str | None = attrs.field(default=None, metadata=named("Title"))
    text: str | None = attrs.field(default=None, metadata=named("Message"))
    is_read: bool | None = attrs.field(default=None, metadata=named("IsRead"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    starts_at: TehranTime | None = attrs.field(default=None, metadata=named("StartDateTime"))
    ends_at: TehranTime | None = attrs.field(default=None, metadata=named("EndDateTime"))


_read_notifications = read_list("ListUserNotification", Notification)


class Notifications:
    """The vendor's notices. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def page(self, page: int = 0) -> list[Notification]:
        """Fetch a page of 50. Vendor method: ``GetUserNotificationFromPageId``.

        Args:
            page: The first page is 0.
        """
        return await self._request(
            operations.NOTIFICATIONS_PAGE,
            lambda: Arguments({"pageId": checks.require_index(page, "page")}),
            _read_notifications,
        )

    async def from_last_id(self, last_id: int = 0) -> list[Notification]:
        """Fetch 50 from an id on. Vendor method: ``GetUserNotificationFromLastId``.

        Args:
            last_id: The id to go on from; 0 is the newest.
        """
        return await self._request(
            operations.NOTIFICATIONS_FROM_LAST_ID,
            lambda: Arguments({"lastId": checks.require_index(last_id, "last_id")}),
            _read_notifications,
        )

    async def update_status(self, notification_id: int) -> None:
        """Change whether a notice has been read. Vendor method: ``UpdateNotificationStatus``, a GET.

        The vendor leaves open whether this marks it as read or turns the mark round, so it is never repeated.

        Args:
            notification_id: Which notice.
        """
        await self._request(
            operations.NOTIFICATIONS_UPDATE_STATUS,
            lambda: Arguments({"id": checks.require_id(notification_id, "notification_id")}),
            read_nothing,
        )

    def iterate(self) -> AsyncIterator[Notification]:
        """Go through all notices, none of them twice."""
        return iterate_pages(self.page, lambda notification: notification.id)

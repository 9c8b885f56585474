"""Sending, and what became of it: ``client.messages``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

import attrs

from ..common import checks
from ..common.errors import AuthenticationError, GatewayError, InvalidArgumentError
from ..common.fields import Mobile, TehranTime, named
from ..common.numbers import normalize_recipient
from ..common.paging import iterate_from_last_id, iterate_pages
from . import operations
from .wire import Arguments, Requester, read_list, read_model


@attrs.frozen
class SentRecipient:
    """One recipient of a batch.

    Attributes:
        id: The gateway's id of the message to this recipient.
        mobile: The number.
    """

    id: int | None = attrs.field(default=None, metadata=named("ID", also="Id"))
    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=named("MobileNumber", also="MobileNo"))


@attrs.frozen
class SentBatch:
    """A send that the gateway took.

    Attributes:
        message_id: The gateway's id of the send.
        batch_key: By which `Messages.recipients` tells what became of each.
        recipients: Each recipient with the id of its message.
        gateway_message: What the vendor wrote about it.
        code: The vendor's ``ErrorCode``, which is 0 for a success as far as is known.
    """

    message_id: int | None = attrs.field(default=None, metadata=named("MessageId"))
    batch_key: str | None = attrs.field(default=None, metadata=named("BatchKey"))
    recipients: list[SentRecipient] = attrs.field(factory=list[SentRecipient], metadata=named("Ids"))
    gateway_message: str | None = attrs.field(default=None, repr=False, metadata=named("Message"))
    code: int | None = attrs.field(default=None, metadata=named("ErrorCode"))


@attrs.frozen
class RecipientCount:
    """How many would get a message.

    Attributes:
        valid: How many different valid numbers.
        invalid: How many duplicate or invalid ones.
    """

    valid: int = attrs.field(metadata=named("Count"))
    invalid: int = attrs.field(metadata=named("InvalidCount"))


@attrs.frozen
class SentMessage:
    """A send of the past.

    Attributes:
        id: Its id.
        batch_key: By which `Messages.recipients` tells what became of each.
        recipients_count: How many different recipients it had.
        text: The text.
        sent_at: When.
        persian_sent_at: The same in the Persian calendar, as the vendor writes it.
    """

    id: int = attrs.field(metadata=named("Id"))
    batch_key: str | None = attrs.field(default=None, metadata=named("BatchKey"))
    recipients_count: int | None = attrs.field(default=None, metadata=named("DistinctRecipientsCount"))
    text: str | None = attrs.field(default=None, repr=False, metadata=named("Message"))
    sent_at: TehranTime | None = attrs.field(default=None, metadata=named("SendDateTime"))
    persian_sent_at: str | None = attrs.field(
        default=None, metadata=named("PersianSendDateTime", also="persianSendDateTime")
    )


@attrs.frozen
class RecipientStatus:
    """What became of one recipient's message.

    Attributes:
        id: Its id.
        batch_key: The batch it was in.
        mobile: The number.
        delivery: What became of it, in the vendor's words: no code is documented.
        text: The text.
        sent_at: When.
        persian_sent_at: The same in the Persian calendar, as the vendor writes it.
    """

    id: int = attrs.field(metadata=named("Id"))
    batch_key: str | None = attrs.field(default=None, metadata=named("BatchKey"))
    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=named("MobileNumber"))
    delivery: str | None = attrs.field(default=None, metadata=named("DeliveryStatus"))
    text: str | None = attrs.field(default=None, repr=False, metadata=named("SmsMessageBody"))
    sent_at: TehranTime | None = attrs.field(default=None, metadata=named("SendDateTime"))
    persian_sent_at: str | None = attrs.field(
        default=None, metadata=named("PersianSendDateTime", also="persianSendDateTime")
    )


_read_batch = read_model(SentBatch)
_read_sent = read_list("Messages", SentMessage)


class Messages:
    """Sending, and what became of it. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester, note_sent: Callable[[str | None], None]) -> None:
        self._request = request
        self._note_sent = note_sent  # So that `send_many` does not take it for one that it looks for.

    async def send(
        self,
        text: str,
        *,
        group_ids: Iterable[int] = (),
        contact_relation_ids: Iterable[int] = (),
        continue_on_error: bool = False,
    ) -> SentBatch:
        """Send a text to groups, to single contacts, or to both. Vendor method: ``Send``.

        Args:
            text: The text.
            group_ids: Groups of contacts.
            contact_relation_ids: Single contacts, by their relation ids.
            continue_on_error: Whether to go on with the others when one fails.
        """

        def arguments() -> Arguments:
            groups, relations = _targets(group_ids, contact_relation_ids)
            return Arguments(
                body={
                    "Message": checks.require_text(text, "text"),
                    "ContactGroupIds": groups,
                    "ContactRelationIds": relations,
                    "CanContinueInCaseOfError": checks.require_bool(continue_on_error, "continue_on_error"),
                }
            )

        batch = await self._request(operations.MESSAGES_SEND, arguments, _read_batch)
        self._note_sent(batch.batch_key)
        return batch

    async def send_to_numbers(
        self, numbers: str | Iterable[str], text: str, *, continue_on_error: bool = False
    ) -> SentBatch:
        """Send a text to numbers. Vendor method: ``SendByMobileNumbers``.

        This method is not in the vendor's document, only in its code samples. Numbers seem to have to be contacts
        already, and the vendor's own notes tell of failures after which the message had gone out: the outcome of such
        a failure is unknown.

        Args:
            numbers: One number, or several.
            text: The text.
            continue_on_error: Whether to go on with the others when one fails.
        """

        def arguments() -> Arguments:
            given = checks.require_list([numbers] if isinstance(numbers, str) else numbers, "numbers")
            return Arguments(
                body={
                    "Message": checks.require_text(text, "text"),
                    "MobileNumbers": [
                        normalize_recipient(number, f"numbers[{index}]") for index, number in enumerate(given)
                    ],
                    "CanContinueInCaseOfError": checks.require_bool(continue_on_error, "continue_on_error"),
                }
            )

        batch = await self._request(operations.MESSAGES_SEND_TO_NUMBERS, arguments, _read_batch)
        self._note_sent(batch.batch_key)
        return batch

    async def count_recipients(
        self, *, group_ids: Iterable[int] = (), contact_relation_ids: Iterable[int] = ()
    ) -> RecipientCount:
        """Count who would get a message, each number once. Vendor method: ``GroupContactsDistinctCount``.

        Args:
            group_ids: Groups of contacts.
            contact_relation_ids: Single contacts, by their relation ids.
        """
        body: dict[str, list[int]] = {}

        def arguments() -> Arguments:
            body["ContactsGroupIds"], body["ContactRelationIds"] = _targets(group_ids, contact_relation_ids)
            return Arguments(body=body)

        operation, read = operations.MESSAGES_COUNT_RECIPIENTS, read_model(RecipientCount)
        try:
            return await self._request(operation, arguments, read)
        except GatewayError as error:
            refused = error.http_status is not None and error.http_status < 300
            if not refused or isinstance(error, AuthenticationError) or all(body.values()):
                raise
            refusal = error
        # The document demands the empty list; the vendor's own code found that the gateway refuses it.
        without_empty = {name: ids for name, ids in body.items() if ids}
        try:
            return await self._request(operation, lambda: Arguments(body=without_empty), read)
        except GatewayError:
            raise refusal from None  # Then the list that was not there is what it found wrong now.

    async def sent_page(self, page: int = 0) -> list[SentMessage]:
        """Fetch a page of 50 sends, the newest first. Vendor method: ``GetLastSentMessagesByPageId``.

        Args:
            page: The first page is 0.
        """
        return await self._request(
            operations.MESSAGES_SENT_PAGE, lambda: Arguments({"pageId": checks.require_index(page, "page")}), _read_sent
        )

    async def sent_from_last_id(self, last_id: int = 0) -> list[SentMessage]:
        """Fetch 50 sends from an id on. Vendor method: ``GetLastSentMessagesFromLastId``.

        Args:
            last_id: The id to go on from; 0 is the newest.
        """
        return await self._request(
            operations.MESSAGES_SENT_FROM_LAST_ID,
            lambda: Arguments({"lastId": checks.require_index(last_id, "last_id")}),
            _read_sent,
        )

    async def recipients(self, batch_key: str | SentBatch, last_id: int = 0) -> list[RecipientStatus]:
        """Fetch what became of 50 recipients of a batch. Vendor method: ``GetSentMessagesMobileNumbers``.

        Args:
            batch_key: The key of the batch, or what the send returned.
            last_id: The id to go on from; 0 is the newest.
        """
        key = batch_key.batch_key if isinstance(batch_key, SentBatch) else batch_key
        return await self._request(
            operations.MESSAGES_RECIPIENTS,
            lambda: Arguments(
                {
                    "lastId": checks.require_index(last_id, "last_id"),
                    "batchKey": checks.require_text(key, "batch_key"),
                }
            ),
            read_list("Messages", RecipientStatus),
        )

    def iterate_sent(self) -> AsyncIterator[SentMessage]:
        """Go through all sends, none of them twice."""
        return iterate_pages(self.sent_page, lambda message: message.id)

    def iterate_recipients(self, batch_key: str | SentBatch) -> AsyncIterator[RecipientStatus]:
        """Go through all recipients of a batch, none of them twice.

        Args:
            batch_key: The key of the batch, or what the send returned.
        """
        return iterate_from_last_id(lambda last_id: self.recipients(batch_key, last_id), lambda status: status.id)


def _targets(group_ids: Iterable[int], contact_relation_ids: Iterable[int]) -> tuple[list[int], list[int]]:
    groups = checks.require_iterable(group_ids, "group_ids")
    relations = checks.require_iterable(contact_relation_ids, "contact_relation_ids")
    if not groups and not relations:
        raise InvalidArgumentError("group_ids and contact_relation_ids are both empty", argument="group_ids")
    return (
        checks.require_ids(groups, "group_ids") if groups else [],
        checks.require_ids(relations, "contact_relation_ids") if relations else [],
    )

"""The account's payments: ``client.transactions``."""

from __future__ import annotations

import decimal
from collections.abc import AsyncIterator

import attrs

from ..common import checks
from ..common.fields import TehranTime, named
from ..common.paging import iterate_from_last_id
from . import operations
from .wire import Arguments, Requester, read_list


@attrs.frozen
class Transaction:
    """One payment.

    Attributes:
        amount: The amount.
        is_valid: Whether the payment succeeded.
        kind: What it was for, in the vendor's words.
        id: Its id; `Transactions.page` does not tell it.
        created_at: When it was made.
        persian_created_at: The same in the Persian calendar, as the vendor writes it.
    """

    amount: decimal.Decimal = attrs.field(metadata=named("Amount"))
    is_valid: bool = attrs.field(metadata=named("IsValid"))
    kind: str | None = attrs.field(default=None, metadata=named("TransactionType"))
    id: int | None = attrs.field(default=None, metadata=named("Id"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    persian_created_at: str | None = attrs.field(default=None, metadata=named("PersianCreationDateTime"))


_read_transactions = read_list("Transaction", Transaction)


class Transactions:
    """The account's payments. Every method raises `PayamakError`; see `SmsIrClient`."""

    def __init__(self, request: Requester) -> None:
        self._request = request

    async def page(self, page: int = 0) -> list[Transaction]:
        """Fetch a page of 50, the newest first. Vendor method: ``GetBankTransactionsByPageId``.

        Args:
            page: The first page, with the newest, is 0.
        """
        return await self._request(
            operations.TRANSACTIONS_PAGE,
            lambda: Arguments({"pageid": checks.require_index(page, "page")}),
            _read_transactions,
        )

    async def from_last_id(self, last_id: int = 0) -> list[Transaction]:
        """Fetch 50 from an id on. Vendor method: ``GetBankTransactionsFromLastId``.

        Args:
            last_id: The id to go on from; 0 is the newest. The vendor leaves open whether older or newer ones follow.
        """
        return await self._request(
            operations.TRANSACTIONS_FROM_LAST_ID,
            lambda: Arguments({"lastid": checks.require_index(last_id, "last_id")}),
            _read_transactions,
        )

    def iterate(self) -> AsyncIterator[Transaction]:
        """Go through all payments, none of them twice."""
        return iterate_from_last_id(self.from_last_id, lambda entry: entry.id or 0)

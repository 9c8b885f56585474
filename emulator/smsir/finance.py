"""Bank transactions and the account."""

from __future__ import annotations

from datetime import UTC, datetime

from ..jalali import jalali_text
from .envelope import Payload
from .operation import Call, get
from .paging import after_last_id, page
from .records import Transaction
from .state import State

_DAY = 86_400
# What .NET writes for a time that nobody set.
_NO_TIME = "0001-01-01T00:00:00"


def get_by_page(state: State, call: Call) -> Payload:
    """`GetBankTransactionsByPageId`: without ids, which only the other method gives."""
    chosen = page(state.transactions[::-1], call.fields.integer("pageid"))
    return {"Transaction": [_item(transaction) for transaction in chosen]}


def get_from_last_id(state: State, call: Call) -> Payload:
    """`GetBankTransactionsFromLastId`."""
    last_id = call.fields.integer("lastid")
    chosen = after_last_id(state, state.transactions[::-1], last_id, lambda transaction: transaction.id)
    return {"Transaction": [{"Id": transaction.id, **_item(transaction)} for transaction in chosen]}


def _item(transaction: Transaction) -> Payload:
    return {
        "Amount": transaction.amount,
        "CreationDateTime": transaction.created_at,
        "PersianCreationDateTime": jalali_text(transaction.created_at),
        "TransactionType": transaction.description,
        "IsValid": transaction.is_valid,
    }


def charge(state: State, amount: float, *, is_valid: bool) -> Transaction:
    """Pay into the account, or fail to."""
    identifier = state.transactions[-1].id + 1 if state.transactions else 1
    transaction = Transaction(identifier, float(amount), state.clock.now(), "شارژ آنلاین اعتبار", is_valid)
    state.transactions.append(transaction)
    if is_valid:
        state.account.credit += int(amount)
    return transaction


def get_user_info(state: State, _call: Call) -> Payload:
    """`GetUserInfo`."""
    account = state.account
    end = datetime.fromtimestamp(account.expire, UTC)
    left = account.expire - state.clock.timestamp()
    return {
        "FirstName": account.first_name,
        "LastName": account.last_name,
        "BusinessName": account.business_name,
        "PersianExpirationDateTime": jalali_text(end),
        "IsExpired": left <= 0,
        "IsTrial": account.is_trial,
        "SentCount": state.sent_count,
        "ExpirationDateTime": end,
        "MembershipKeyword": account.membership_keyword,
        "CancelMembershipKeyword": account.cancel_membership_keyword,
        "Credit": account.credit,
        "HasUploadedNationalCard": account.has_uploaded_national_card,
        "MobileNumber": account.mobile_number,
        "ReagentCode": account.reagent_code,
        # Negative when the account has expired.
        "ExpirationLeftDays": int(left // _DAY),
    }


OPERATIONS = (
    get("BankTransaction/GetBankTransactionsByPageId", get_by_page, Transaction=None),
    get("BankTransaction/GetBankTransactionsFromLastId", get_from_last_id, Transaction=None),
    get(
        "WhiteSms/GetUserInfo",
        get_user_info,
        FirstName=None,
        LastName=None,
        BusinessName=None,
        PersianExpirationDateTime=None,
        IsExpired=False,
        IsTrial=False,
        SentCount=0,
        ExpirationDateTime=_NO_TIME,
        MembershipKeyword=None,
        CancelMembershipKeyword=None,
        Credit=0,
        HasUploadedNationalCard=False,
        MobileNumber=None,
        ReagentCode=None,
        ExpirationLeftDays=0,
    ),
)

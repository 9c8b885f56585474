"""What is there from the start, so that reads have something to show. Dates are fixed, whatever the clock says."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..jalali import TEHRAN
from .records import Notification, OccasionalCategory, OccasionalMessage, Question, Transaction

TICKET_OPEN, TICKET_ANSWERED, TICKET_CLOSED = 1, 2, 3
TICKET_STATUSES = {TICKET_OPEN: "باز", TICKET_ANSWERED: "پاسخ داده شده", TICKET_CLOSED: "بسته شده"}
TICKET_PRIORITIES = {1: "عادی", 2: "فوری", 3: "بحرانی"}
TICKET_DEPARTMENTS = {1: "پشتیبانی فنی", 2: "امور مالی"}

_FIRST_TRANSACTION_ID = 60_011
_FIRST_NOTIFICATION_ID = 2_201
# The day of the vendor's document, at an hour whose fraction of a second shows how fractions are written.
_START = datetime(2018, 5, 13, 10, 20, 30, 123_000, tzinfo=TEHRAN)


def first_transactions() -> list[Transaction]:
    """Two payments that went well and one that did not."""
    payments = ((500_000.0, True), (250_000.0, False), (250_000.0, True))
    return [
        Transaction(
            _FIRST_TRANSACTION_ID + index, amount, _START + timedelta(days=30 * index), "شارژ آنلاین اعتبار", is_valid
        )
        for index, (amount, is_valid) in enumerate(payments)
    ]


def first_notifications() -> list[Notification]:
    """Two notices."""
    notices = (
        ("به‌روزرسانی سامانه", "سامانه امشب به‌روزرسانی می‌شود."),
        ("تعرفه جدید", "تعرفه پیامک از ابتدای ماه تغییر می‌کند."),
    )
    return [
        Notification(
            id=_FIRST_NOTIFICATION_ID + index,
            title=title,
            text=text,
            created_at=_START + timedelta(days=index),
            start_at=_START + timedelta(days=index + 1),
            end_at=_START + timedelta(days=index + 30),
        )
        for index, (title, text) in enumerate(notices)
    ]


def questions() -> list[Question]:
    """Two questions, one of which is not asked any more."""
    return [
        Question("پیامک سفید چیست؟", "ارسال پیامک به مخاطبینی که عضو شده‌اند.", _START, True, 1, 1),
        Question("چگونه اعتبار بخرم؟", "از بخش امور مالی پنل.", _START + timedelta(days=1), False, 2, 1),
    ]


def occasional_categories() -> list[OccasionalCategory]:
    """Two occasions with texts, and one without."""
    return [
        OccasionalCategory(11, "نوروز", [_occasional("نوروز مبارک"), _occasional("سال نو پیروز")]),
        OccasionalCategory(12, "تولد", [_occasional("تولدت مبارک")]),
        OccasionalCategory(13, "یلدا", []),
    ]


def _occasional(text: str) -> OccasionalMessage:
    return OccasionalMessage(text, _START, _START + timedelta(days=3650))

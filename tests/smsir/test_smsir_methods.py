"""Every method against the emulator: that it does what it says, and how it is refused."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import attrs
import pytest
from payamak.emulator import Emulator
from payamak.smsir import (
    AddedContact,
    AuthenticationError,
    Choice,
    Emoji,
    GatewayError,
    NewContact,
    Outcome,
    SentRecipient,
    SmsIrClient,
)
from support.smsir import QUICKLY, failure_of

Call = Callable[[SmsIrClient], Awaitable[Any]]
A, B, C = "09121111111", "09122222222", "09123333333"
ADMIN = "پاسخ پشتیبانی"


def group_of(emulator: Emulator, *numbers: str, name: str = "گروه") -> int:
    """A group with contacts that need not wait."""
    group = emulator.smsir.phone_book.add_group(name)
    for number in numbers:
        assert emulator.smsir.phone_book.add_contact(group.id, number)
    return group.id


def numbers_in(emulator: Emulator, group_id: int) -> set[str]:
    return {one.contact.mobile for one in emulator.smsir.phone_book.memberships(group_id)}


def relation(emulator: Emulator, number: str) -> int:
    contact = emulator.smsir.phone_book.contact(number)
    assert contact is not None
    return contact.memberships[-1].relation_id


def sheet(*numbers: str) -> bytes:
    rows = "".join(f'<row><c t="str"><v>{number}</v></c></row>' for number in numbers)
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return file.getvalue()


async def refusal(awaitable: Awaitable[object]) -> GatewayError:
    error = await failure_of(awaitable)
    assert isinstance(error, GatewayError)
    assert error.outcome is Outcome.REFUSED
    assert error.gateway_message
    return error


async def test_authenticate(emulator: Emulator, client: SmsIrClient) -> None:
    await client.authenticate()
    await client.authenticate()
    await client.account()
    assert emulator.smsir.tokens_issued in (1, 2)
    async with SmsIrClient("emulator-key", "wrong", base_url=emulator.smsir_url) as stranger:
        error = await failure_of(stranger.authenticate())
    assert isinstance(error, AuthenticationError)
    assert (error.operation, error.outcome) == ("authenticate", Outcome.REFUSED)


async def test_groups(emulator: Emulator, client: SmsIrClient) -> None:
    made = await client.groups.create("دوستان", "#ff0000")
    assert (made.name, made.contacts_count) == ("دوستان", 0)
    assert made.created_at
    (listed,) = await client.groups.list()
    assert (listed.id, listed.name, listed.color, listed.contacts_count) == (made.id, "دوستان", "#ff0000", 0)
    changed = await client.groups.update(made.id, "همکاران")
    assert (changed.id, changed.name) == (made.id, "همکاران")
    kept = emulator.smsir.phone_book.group(made.id)
    assert kept is not None
    assert (kept.name, kept.color) == ("همکاران", "#ff0000")
    await client.groups.delete(made.id)
    assert await client.groups.list() == []


async def test_clearing_groups(emulator: Emulator, client: SmsIrClient) -> None:
    first, second, third = (group_of(emulator, A, B, name=name) for name in "abc")
    await client.groups.clear([first, second])
    assert [numbers_in(emulator, group) for group in (first, second, third)] == [set(), set(), {A, B}]


async def test_transfer(emulator: Emulator, client: SmsIrClient) -> None:
    first, second = group_of(emulator, A, B, name="a"), group_of(emulator, C, name="b")
    moved = await client.groups.transfer([relation(emulator, A), relation(emulator, C)], second)
    assert (moved.moved, moved.duplicates) == (1, 1)
    assert (numbers_in(emulator, first), numbers_in(emulator, second)) == ({B}, {A, C})


async def test_adding_contacts(emulator: Emulator, client: SmsIrClient) -> None:
    group_id = group_of(emulator, C)
    added = await client.contacts.add(
        group_id,
        [NewContact("+989121111111", "خانم", "نام", "فامیل", Emoji.WOMAN), NewContact(C), NewContact("09000000008")],
    )
    assert added.added == [AddedContact(A, "خانم", "نام", "فامیل", Emoji.WOMAN)]
    assert {contact.mobile for contact in added.erroneous} == {C, "09000000008"}
    assert numbers_in(emulator, group_id) == {A, C}
    (welcome,) = emulator.messages()
    assert (welcome.kind, welcome.recipient) == ("membership", A)


async def test_updating_a_contact(emulator: Emulator, client: SmsIrClient) -> None:
    first, second = group_of(emulator, A, name="a"), group_of(emulator, name="b")
    await client.contacts.update(relation(emulator, A), NewContact(A, "آقای", "نام", "فامیل", Emoji.MAN))
    (contact,) = await client.contacts.in_group(first)
    assert (contact.prefix, contact.first_name, contact.last_name, contact.emoji) == ("آقای", "نام", "فامیل", Emoji.MAN)
    await client.contacts.update(contact.relation_id, NewContact(B), group_id=second)
    (moved,) = await client.contacts.in_group(second)
    assert (moved.mobile, moved.first_name, moved.group_name) == (B, "نام", "b")


async def test_what_was_read_can_be_changed_and_a_name_taken_away(emulator: Emulator, client: SmsIrClient) -> None:
    group_id = group_of(emulator, A)
    await client.contacts.update(relation(emulator, A), NewContact(A, "آقای", "نام", "فامیل", Emoji.MAN))
    (read,) = await client.contacts.in_group(group_id)
    await client.contacts.update(read.relation_id, attrs.evolve(read, first_name="", last_name="دیگر"))
    (contact,) = await client.contacts.in_group(group_id)
    assert not contact.first_name
    assert (contact.prefix, contact.last_name, contact.emoji) == ("آقای", "دیگر", Emoji.MAN)


async def test_uploading_excel(emulator: Emulator, client: SmsIrClient) -> None:
    group_id = group_of(emulator)
    added = await client.contacts.upload_excel(group_id, sheet("شماره", A, B, "12"), file_name="a.xlsx")
    assert [contact.mobile for contact in added.added] == [A, B]
    assert [contact.mobile for contact in added.erroneous] == ["12"]
    assert numbers_in(emulator, group_id) == {A, B}
    await refusal(client.contacts.upload_excel(group_id, b"no excel", file_name="a.xlsx"))


async def test_searching(emulator: Emulator, client: SmsIrClient) -> None:
    first, second, book = group_of(emulator, name="a"), group_of(emulator, name="b"), emulator.smsir.phone_book
    book.add_contact(first, A, prefix="خانم", first_name="مریم", last_name="رضایی", emoji=3)
    book.add_contact(second, B, prefix="آقای", first_name="علی", last_name="رضایی")
    by: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [B, A]),
        ({"prefix": "خانم"}, [A]),
        ({"first_name": "علی"}, [B]),
        ({"last_name": "رضایی"}, [B, A]),
        ({"last_name": "رضایی", "group_id": first}, [A]),
        ({"mobile": "+989122222222"}, [B]),
        ({"mobile": C}, []),
        ({"page": 1}, []),
    ]
    for options, numbers in by:
        assert [contact.mobile for contact in await client.contacts.search(**options)] == numbers
    (found,) = await client.contacts.search(mobile=A)
    assert (found.relation_id, found.group_name, found.emoji) == (relation(emulator, A), "a", Emoji.WOMAN)


async def test_reading_contacts(emulator: Emulator, client: SmsIrClient) -> None:
    first, second = group_of(emulator, A, B, name="a"), group_of(emulator, C, name="b")
    assert [contact.mobile for contact in await client.contacts.page()] == [C, B, A]
    assert await client.contacts.page(1) == []
    assert [contact.mobile for contact in await client.contacts.in_group(second)] == [C]
    assert await client.contacts.in_group(first, 1) == []
    newest, *older = await client.contacts.from_last_id()
    assert [contact.mobile for contact in older] == [B, A]
    assert newest.id is not None
    assert [contact.mobile for contact in await client.contacts.from_last_id(newest.id)] == [B, A]
    assert (newest.group_id, newest.group_name, newest.remaining_seconds) == (second, "b", 0)


async def test_who_has_cancelled(emulator: Emulator, client: SmsIrClient) -> None:
    group_of(emulator, A, B)
    assert await client.contacts.cancelled() == type(await client.contacts.cancelled())([], 0)
    assert emulator.smsir.cancel_membership(A) == 1
    page = await client.contacts.cancelled()
    assert (page.total, [contact.mobile for contact in page.contacts]) == (1, [A])
    (contact,) = page.contacts
    assert contact.cancelled_at is not None
    assert abs(contact.cancelled_at - emulator.clock.now()) < datetime.timedelta(seconds=10)
    assert (await client.contacts.cancelled(1)).contacts == []
    assert [one.mobile for one in await client.contacts.page()] == [B]


@pytest.mark.parametrize("kind", ["relation", "contact"])
async def test_deleting_contacts(kind: str, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.delete_contacts_by = kind
    group_id = group_of(emulator, A, B)
    (contact,) = [contact for contact in await client.contacts.from_last_id() if contact.mobile == A]
    own, membership = contact.id or 0, contact.relation_id
    right, wrong = (membership, own) if kind == "relation" else (own, membership)
    await refusal(client.contacts.delete([wrong]))
    await client.contacts.delete([right])
    assert numbers_in(emulator, group_id) == {B}


async def test_drafts(emulator: Emulator, client: SmsIrClient) -> None:
    assert [draft.text for draft in await client.drafts.create("یک")] == ["یک"]
    await client.drafts.create("دو")
    assert [draft.text for draft in await client.drafts.list()] == ["دو", "یک"]
    first, second = emulator.smsir.drafts
    assert [draft.text for draft in await client.drafts.update(first, "سه")] == ["سه"]
    await client.drafts.delete(second)
    assert [draft.text for draft in emulator.smsir.drafts.values()] == ["سه"]


async def test_sending(emulator: Emulator, client: SmsIrClient) -> None:
    group_id = group_of(emulator, A, B)
    group_of(emulator, C, name="b")
    before = await client.credit()
    assert (await client.messages.count_recipients(group_ids=[group_id])).valid == 2
    batch = await client.messages.send(
        "سلام", group_ids=[group_id], contact_relation_ids=[relation(emulator, C), relation(emulator, A)]
    )
    sent = emulator.messages()
    assert {(message.recipient, message.text, message.kind) for message in sent} == {
        (number, "سلام", "sms") for number in (A, B, C)
    }
    assert batch.recipients == [SentRecipient(message.id, message.recipient) for message in sent]
    assert len(sent) == 3
    account = await client.account()
    assert (account.sent_count, before - account.credit) == (3, 3 * emulator.smsir.account.sms_price)


async def test_sending_to_numbers(emulator: Emulator, client: SmsIrClient) -> None:
    group_of(emulator, A, B)
    emulator.smsir.switches.ids_without_zero = True
    batch = await client.messages.send_to_numbers([A, "+98 912 222 2222"], "سلام")
    assert [recipient.mobile for recipient in batch.recipients] == [A, B]
    one = await client.messages.send_to_numbers(A, "یکی")
    assert [recipient.mobile for recipient in one.recipients] == [A]
    assert [message.recipient for message in emulator.messages()] == [A, B, A]
    error = await refusal(client.messages.send_to_numbers([A, C], "نه"))
    assert error.operation == "messages.send_to_numbers"
    some = await client.messages.send_to_numbers([A, C], "بعضی", continue_on_error=True)
    assert [recipient.mobile for recipient in some.recipients] == [A]


async def test_what_became_of_a_send(emulator: Emulator, client: SmsIrClient) -> None:
    numbers = [A, "09000000002", "09000000016", "09000000027"]
    batch = await client.messages.send("سلام", group_ids=[group_of(emulator, *numbers)])
    assert batch.batch_key
    (message,) = await client.messages.sent_page()
    assert (message.id, message.batch_key, message.recipients_count) == (batch.message_id, batch.batch_key, 4)
    assert message.text == "سلام"
    assert message.sent_at is not None
    assert await client.messages.sent_from_last_id() == [message]
    assert await client.messages.sent_from_last_id(message.id) == []
    assert await client.messages.sent_page(1) == []

    async def words() -> dict[str | None, str | None]:
        return {one.mobile: one.delivery for one in await client.messages.recipients(batch.batch_key or "")}

    assert set((await words()).values()) == {"در صف ارسال"}
    emulator.clock.advance(1.5)
    assert (await words())[A] == "رسیده به مخابرات"
    emulator.clock.advance(5)
    later = ["رسیده به گوشی", "نرسیده به گوشی", "نرسیده به مخابرات", "لیست سیاه"]
    assert await words() == dict(zip(numbers, later, strict=True))
    (first, *_) = await client.messages.recipients(batch.batch_key)
    assert (first.text, first.batch_key) == ("سلام", batch.batch_key)
    assert len(await client.messages.recipients(batch.batch_key, first.id)) == 3
    assert await client.messages.recipients("unknown") == []


async def test_notifications(emulator: Emulator, client: SmsIrClient) -> None:
    newest, oldest = await client.notifications.page()
    assert (newest.is_read, oldest.title, oldest.text) == (False, *_title_and_text(emulator))
    assert None not in (newest.starts_at, newest.ends_at)
    await client.notifications.update_status(newest.id)
    assert [notice.is_read for notice in emulator.smsir.notifications] == [False, True]
    assert await client.notifications.from_last_id(newest.id) == [oldest]
    assert await client.notifications.page(1) == []


def _title_and_text(emulator: Emulator) -> tuple[str, str]:
    notice = emulator.smsir.notifications[0]
    return notice.title, notice.text


async def test_transactions(emulator: Emulator, client: SmsIrClient) -> None:
    before = await client.credit()
    paid = emulator.smsir.charge(1500)
    emulator.smsir.charge(2500, valid=False)
    failed, newest, *others = await client.transactions.from_last_id()
    assert (newest.id, int(newest.amount), newest.is_valid) == (paid.id, 1500, True)
    assert (int(failed.amount), failed.is_valid, len(others)) == (2500, False, 3)
    assert [payment.amount for payment in await client.transactions.page()] == [2500, 1500, *(o.amount for o in others)]
    assert await client.transactions.from_last_id(paid.id) == others
    assert await client.credit() == before + 1500


async def test_ready_made_texts_and_questions(emulator: Emulator, client: SmsIrClient) -> None:
    categories = await client.occasional_messages.categories()
    assert [category.message_count for category in categories] == [2, 1, 0]
    texts = await client.occasional_messages.list(categories[0].id)
    assert {text.category_id for text in texts} == {categories[0].id}
    assert len(texts) == 2
    assert await client.occasional_messages.list(categories[2].id) == []
    assert len(await client.occasional_messages.list()) == sum(category.message_count or 0 for category in categories)
    questions = await client.faq()
    assert [question.is_active for question in questions] == [True, False]
    assert all(question.question and question.answer and question.created_at for question in questions)


async def test_tickets(emulator: Emulator, client: SmsIrClient) -> None:
    options = await client.tickets.options()
    assert options.departments[1] == Choice(2, "امور مالی")
    statuses = {status.id: status.name for status in await client.tickets.statuses()}
    opened = await client.tickets.open(
        "پرداخت", "کجاست؟", file=b"a receipt", file_name="a.pdf", department_id=2, priority_id=3
    )
    (listed,) = await client.tickets.page()
    assert (listed.id, listed.subject, listed.body) == (opened.id, "پرداخت", "کجاست؟")
    assert (listed.department_id, listed.priority_id, statuses[listed.status_id or 0]) == (2, 3, "باز")
    emulator.smsir.answer_ticket(opened.id, ADMIN)
    reply = await client.tickets.reply(opened.id, "نیست", file=b"another", file_name="b.pdf")
    assert reply.ticket_id == opened.id
    ticket = await client.tickets.get(opened.id)
    assert [(one.body, one.is_admin_reply) for one in ticket.replies] == [(ADMIN, True), ("نیست", False)]
    assert ticket.replies[1].id == reply.id
    assert [await _download(url) for url in (ticket.download_url, ticket.replies[1].download_url)] == [
        b"a receipt",
        b"another",
    ]
    assert ticket.replies[0].download_url is None
    await client.tickets.close(opened.id)
    assert statuses[(await client.tickets.get(opened.id)).status_id or 0] == "بسته شده"
    await refusal(client.tickets.close(opened.id))
    await refusal(client.tickets.reply(opened.id, "باز هم"))


async def _download(url: str | None) -> bytes:
    assert url
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()


async def test_account(emulator: Emulator, client: SmsIrClient) -> None:
    kept = emulator.smsir.account
    kept.is_trial, kept.credit = True, 77
    account = await client.account()
    assert (account.credit, await client.credit()) == (77, 77)
    names = (account.first_name, account.last_name, account.business_name)
    assert names == (kept.first_name, kept.last_name, kept.business_name)
    assert (account.mobile, account.is_trial, account.is_expired) == (kept.mobile_number, True, False)
    assert account.referral_code == kept.reagent_code
    kept.expire = int(emulator.clock.timestamp()) - 86_400 * 3
    account = await client.account()
    assert account.is_expired is True
    assert (account.days_left or 0) < 0


REFUSED: dict[str, Call] = {
    "groups.update": lambda c: c.groups.update(99, "n"),
    "groups.delete": lambda c: c.groups.delete(99),
    "groups.clear": lambda c: c.groups.clear([99]),
    "groups.transfer": lambda c: c.groups.transfer([99], 99),
    "contacts.add": lambda c: c.contacts.add(99, [NewContact(A)]),
    "contacts.update": lambda c: c.contacts.update(99, NewContact(A)),
    "contacts.upload_excel": lambda c: c.contacts.upload_excel(99, sheet(A), file_name="a.xlsx"),
    "contacts.in_group": lambda c: c.contacts.in_group(99),
    "contacts.delete": lambda c: c.contacts.delete([99]),
    "drafts.update": lambda c: c.drafts.update(99, "t"),
    "drafts.delete": lambda c: c.drafts.delete(99),
    "messages.send": lambda c: c.messages.send("t", group_ids=[99]),
    "messages.send_to_numbers": lambda c: c.messages.send_to_numbers(C, "t"),
    "notifications.update_status": lambda c: c.notifications.update_status(99),
    "tickets.open": lambda c: c.tickets.open("s", "b", department_id=99),
    "tickets.get": lambda c: c.tickets.get(99),
    "tickets.close": lambda c: c.tickets.close(99),
    "tickets.reply": lambda c: c.tickets.reply(99, "b"),
}


@pytest.mark.parametrize("status", [None, 400])
@pytest.mark.parametrize("name", REFUSED)
async def test_refusals(name: str, status: int | None, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.failure_status = status
    error = await refusal(REFUSED[name](client))
    assert (error.operation, error.http_status) == (name, status or 201)
    assert isinstance(error.code, int)
    assert error.code > 0
    assert emulator.messages() == []


@pytest.mark.parametrize("number", ["09000000009", "09000000010"])
async def test_refused_sends(number: str, emulator: Emulator) -> None:
    group_id = group_of(emulator, number)
    async with SmsIrClient("emulator-key", "emulator-secret", base_url=emulator.smsir_url, retry=QUICKLY) as client:
        error = await failure_of(client.messages.send("t", group_ids=[group_id]))
    assert isinstance(error, GatewayError)
    assert error.outcome is (Outcome.REFUSED if number.endswith("09") else Outcome.UNKNOWN)
    assert (emulator.messages(), emulator.smsir.account.credit) == ([], 1_000_000)


async def test_a_send_beyond_the_credit(emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.account.credit = 100
    await refusal(client.messages.send("t", group_ids=[group_of(emulator, A)]))
    assert (emulator.messages(), await client.credit()) == ([], 100)

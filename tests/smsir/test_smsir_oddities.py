"""The oddities of the vendor's document, as far as they concern a client: names, types and empty values."""

from __future__ import annotations

import datetime
import decimal
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from payamak.common import Attempt, AttemptReply, Proceed
from payamak.emulator import Emulator
from payamak.smsir import (
    AddedContact,
    AddedContacts,
    GatewayError,
    InvalidArgumentError,
    Messages,
    NewContact,
    Outcome,
    ReplyError,
    SentBatch,
    SmsIrClient,
    Ticket,
)
from support.raw_server import RawServer, Received, answer
from support.smsir import failure_of

Connect = Callable[..., SmsIrClient]
Call = Callable[[SmsIrClient], Awaitable[Any]]


def body(**fields: object) -> bytes:
    return json.dumps({"IsSuccessful": True, "Message": "پیام", "ErrorCode": 0, **fields}).encode()


async def read(connect: Connect, call: Call, **fields: object) -> Any:
    """The result of a call that is answered so."""
    async with RawServer(answer(body(**fields), 201)) as server, connect(server.url) as client:
        return await call(client)


async def sent(connect: Connect, call: Call, **fields: object) -> Received:
    """What a call puts on the wire."""
    async with RawServer(answer(body(**fields), 201)) as server, connect(server.url) as client:
        await call(client)
    (request,) = server.requests
    return request


def query_of(request: Received) -> dict[str, str]:
    return dict(parse_qsl(request.target.partition("?")[2]))


QUERIES: list[tuple[Call, set[str]]] = [
    (lambda c: c.transactions.page(), {"pageid"}),
    (lambda c: c.transactions.from_last_id(), {"lastid"}),
    (lambda c: c.contacts.search(group_id=1), {"groupid", "pageid"}),
    (lambda c: c.contacts.from_last_id(), {"lastid"}),
    (lambda c: c.contacts.page(), {"pageId"}),
    (lambda c: c.messages.sent_from_last_id(), {"lastId"}),
    (lambda c: c.messages.recipients("key"), {"lastId", "batchKey"}),
]


@pytest.mark.parametrize(("call", "names"), QUERIES)
async def test_query_names_of_mixed_case(call: Call, names: set[str], connect: Connect) -> None:
    assert set(query_of(await sent(connect, call))) == names


async def test_body_names_begin_with_a_capital(connect: Connect) -> None:
    person = NewContact("09121111111")
    update = json.loads((await sent(connect, lambda c: c.contacts.update(1, person))).body)
    assert (update["Mobile"], "mobile" in update) == ("09121111111", False)
    send = json.loads((await sent(connect, lambda c: c.messages.send("t", group_ids=[1]))).body)
    assert (send["ContactGroupIds"], "contactGroupIds" in send) == ([1], False)


async def test_three_names_for_nearly_one_thing(connect: Connect) -> None:
    send = json.loads((await sent(connect, lambda c: c.messages.send("t", contact_relation_ids=[3]))).body)
    assert (send["ContactGroupIds"], send["ContactRelationIds"]) == ([], [3])
    count = await sent(connect, lambda c: c.messages.count_recipients(group_ids=[1]), Count=1, InvalidCount=0)
    assert json.loads(count.body) == {"ContactsGroupIds": [1], "ContactRelationIds": []}
    move = await sent(connect, lambda c: c.groups.transfer([3], 7), MovedCount=1, DuplicateCount=0)
    assert json.loads(move.body) == {"ContactGroupRelationId": [3], "NewGroupId": 7}
    update = await sent(connect, lambda c: c.contacts.update(3, NewContact("09121111111")))
    assert json.loads(update.body)["ContactGroupRelationId"] == 3


async def test_contacts_details_and_contact_details(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.contacts.add(7, [NewContact("09121111111")]))
    assert set(json.loads(request.body)) == {"ContactsDetails", "GroupId"}
    (contact,) = await read(connect, lambda c: c.contacts.page(), ContactDetails=[{"ContactRelationId": 5}])
    assert contact.relation_id == 5


async def test_name_title_and_group_name(connect: Connect) -> None:
    (group,) = await read(connect, lambda c: c.groups.list(), ContactGroups=[{"GroupId": 1, "Name": "نام"}])
    created = await read(connect, lambda c: c.groups.create("نام"), GroupId=1, GroupName="نام")
    assert (group.name, created.name) == ("نام", "نام")
    (contact,) = await read(
        connect, lambda c: c.contacts.page(), ContactDetails=[{"ContactRelationId": 5, "GroupName": "نام"}]
    )
    assert contact.group_name == "نام"
    options = await read(
        connect,
        lambda c: c.tickets.options(),
        TicketPriorities=[{"Id": "1", "Name": "عادی"}],
        Departments=[{"Id": "2", "Title": "مالی"}],
    )
    assert (options.priorities[0].name, options.departments[0].name) == ("عادی", "مالی")


async def test_singular_names_that_hold_lists(connect: Connect) -> None:
    payments = [{"Amount": 1.0, "IsValid": True}] * 2
    assert len(await read(connect, lambda c: c.transactions.page(), Transaction=payments)) == 2
    categories = [{"Id": 1}, {"Id": 2}]
    call: Call = lambda c: c.occasional_messages.categories()  # noqa: E731
    assert len(await read(connect, call, OccasionalMessageCategory=categories)) == 2
    assert len(await read(connect, lambda c: c.tickets.statuses(), TicketStatus=categories)) == 2


@pytest.mark.parametrize("name", ["ID", "Id"])
async def test_id_in_capitals(name: str, connect: Connect) -> None:
    batch = await read(connect, lambda c: c.messages.send("t", group_ids=[1]), Ids=[{name: 1441579}])
    assert batch.recipients[0].id == 1441579


async def test_ticketed_is_ticket_id(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.tickets.reply(9, "متن"), TicketId=9, TicketReplyId=1)
    assert query_of(request)["ticketId"] == "9"
    assert b"ticketed" not in request.body
    assert b'name="ticketId"' in request.body


@pytest.mark.parametrize("name", ["OccasionalMessages", "OccasionalMessage"])
async def test_occasional_messages_by_either_name(name: str, connect: Connect) -> None:
    (found,) = await read(connect, lambda c: c.occasional_messages.list(1), **{name: [{"Message": "نوروز"}]})
    assert found.text == "نوروز"


@pytest.mark.parametrize("name", ["TicketReplyDetails", "TicketReplyDetail"])
async def test_ticket_replies_by_either_name(name: str, connect: Connect) -> None:
    ticket: Ticket = await read(connect, lambda c: c.tickets.get(1), **{name: [{"TicketReplyId": 4}]})
    assert [reply.id for reply in ticket.replies] == [4]


@pytest.mark.parametrize("name", ["PersianSendDateTime", "persianSendDateTime"])
async def test_persian_date_by_either_name(name: str, connect: Connect) -> None:
    call: Call = lambda c: c.messages.sent_page()  # noqa: E731
    (message,) = await read(connect, call, Messages=[{"Id": 1, name: "1397/02/23"}])
    assert message.persian_sent_at == "1397/02/23"
    (status,) = await read(connect, lambda c: c.messages.recipients("key"), Messages=[{"Id": 1, name: "1397/02/23"}])
    assert status.persian_sent_at == "1397/02/23"


async def test_inner_and_outer_message(connect: Connect) -> None:
    inner = [{"Id": 1, "Message": "درون"}]
    (draft,) = await read(connect, lambda c: c.drafts.list(), DraftMessageDetails=inner, Message="بیرون")
    (message,) = await read(connect, lambda c: c.messages.sent_page(), Messages=inner, Message="بیرون")
    (notice,) = await read(connect, lambda c: c.notifications.page(), ListUserNotification=inner, Message="بیرون")
    (ready,) = await read(connect, lambda c: c.occasional_messages.list(1), OccasionalMessages=inner, Message="بیرون")
    assert [draft.text, message.text, notice.text, ready.text] == ["درون"] * 4


async def test_the_file_part_is_called_file(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.contacts.upload_excel(7, b"x", file_name="a.xls"))
    assert b'name="File"' in request.body


@pytest.mark.parametrize("value", [9121234567, "9121234567", "09121234567"])
async def test_mobile_number_lost_its_zero(value: object, connect: Connect) -> None:
    (status,) = await read(connect, lambda c: c.messages.recipients("k"), Messages=[{"Id": 1, "MobileNumber": value}])
    assert status.mobile == "09121234567"
    batch = await read(connect, lambda c: c.messages.send("t", group_ids=[1]), Ids=[{"ID": 1, "MobileNumber": value}])
    assert batch.recipients[0].mobile == "09121234567"
    account = await read(connect, lambda c: c.account(), Credit=1, MobileNumber=value)
    assert account.mobile == "09121234567"
    (contact,) = await read(
        connect, lambda c: c.contacts.page(), ContactDetails=[{"ContactRelationId": 5, "Mobile": value}]
    )
    assert contact.mobile == "09121234567"


async def test_the_name_that_the_sibling_service_uses(connect: Connect) -> None:
    call: Call = lambda c: c.messages.send_to_numbers("09131150815", "t")  # noqa: E731
    batch = await read(connect, call, Ids=[{"ID": 1441579, "MobileNo": "9131150815"}])
    assert batch.recipients[0].mobile == "09131150815"


async def test_ids_of_options_are_strings(connect: Connect, client: SmsIrClient) -> None:
    options = await read(connect, lambda c: c.tickets.options(), TicketPriorities=[{"Id": "3"}], Departments=[])
    assert options.priorities[0].id == 3
    found = await client.tickets.options()
    ticket = await client.tickets.open(
        "s", "b", department_id=found.departments[1].id, priority_id=found.priorities[2].id
    )
    assert (await client.tickets.get(ticket.id)).department_id == found.departments[1].id


async def test_creation_time_of_a_group_is_a_string(connect: Connect) -> None:
    moment = datetime.datetime(2018, 5, 13, 10, 20, 30, tzinfo=ZoneInfo("Asia/Tehran"))
    minute = moment.replace(second=0)
    for text, time in {"2018-05-13T10:20:30": moment, "1397/02/23 10:20": minute, "آن روز": None, None: None}.items():
        group = await read(connect, lambda c: c.groups.create("n"), GroupId=1, CreationDateTime=text)
        assert (group.id, group.created_at) == (1, time)


async def test_a_group_whose_other_fields_do_not_fit_is_an_error(connect: Connect) -> None:
    with pytest.raises(ReplyError) as caught:
        await read(connect, lambda c: c.groups.create("n"), GroupId="x", CreationDateTime="آن روز")
    assert caught.value.field in ("id", "created_at")


async def test_a_single_send(emulator: Emulator, client: SmsIrClient, connect: Connect) -> None:
    book = emulator.smsir.phone_book
    book.add_contact(book.add_group("g").id, "09121111111")
    result = await client.send("+98 912 111 1111", "t")
    assert (result.recipient, result.message_id) == ("+98 912 111 1111", emulator.messages()[-1].id)
    other = [{"ID": 5, "MobileNumber": "09122222222"}]
    for ids in (None, [], other):
        with pytest.raises(ReplyError) as caught:
            await read(connect, lambda c: c.send("09121111111", "t"), Ids=ids)
        assert (caught.value.outcome, caught.value.operation) == (Outcome.UNKNOWN, "messages.send_to_numbers")
    with pytest.raises(InvalidArgumentError) as wrong:
        await client.send("12", "t")
    assert wrong.value.argument == "to"


async def test_what_the_envelope_says_of_a_send_and_what_the_send_was_can_be_asked(
    client: SmsIrClient, emulator: Emulator
) -> None:
    book = emulator.smsir.phone_book
    book.add_contact(book.add_group("g").id, "09121111111")
    batch = await client.messages.send_to_numbers("09121111111", "t")
    assert (batch.gateway_message, batch.code) == ("ارسال با موفقیت انجام گردید", 0)
    (status,) = await client.messages.recipients(batch)
    assert [status] == [one async for one in client.messages.iterate_recipients(batch)]
    with pytest.raises(InvalidArgumentError) as caught:
        await client.messages.recipients(SentBatch())
    assert caught.value.argument == "batch_key"


@pytest.mark.parametrize("value", [250, 250.0, "250"])
async def test_credit_as_a_double(value: object, connect: Connect) -> None:
    credit = await read(connect, lambda c: c.credit(), Credit=value)
    assert (credit, type(credit)) == (250, int)


async def test_credit_with_a_fraction(connect: Connect) -> None:
    """The sibling service has a double: a fraction must not make the account unreadable."""
    assert await read(connect, lambda c: c.credit(), Credit=250.5) == 250


@pytest.mark.parametrize("value", [1500.25, "1500.25"])
async def test_amounts_and_seconds_are_doubles(value: object, connect: Connect) -> None:
    (payment,) = await read(connect, lambda c: c.transactions.page(), Transaction=[{"Amount": value, "IsValid": True}])
    assert payment.amount == decimal.Decimal("1500.25")
    (contact,) = await read(
        connect,
        lambda c: c.contacts.page(),
        ContactDetails=[{"ContactRelationId": 5, "RemainedSecondsToBeValid": value}],
    )
    assert contact.remaining_seconds == 1500.25


@pytest.mark.parametrize("value", [None, []])
async def test_erroneous_list_is_null_when_nothing_failed(value: object, connect: Connect) -> None:
    call: Call = lambda c: c.contacts.add(7, [NewContact("09121111111")])  # noqa: E731
    added = await read(connect, call, AddedList=[{"Mobile": "9121111111", "EmojiId": None}], ErroneousList=value)
    assert added == AddedContacts([AddedContact("09121111111")], [])


async def test_missing_keys(emulator: Emulator, client: SmsIrClient) -> None:
    await client.drafts.create("متن")
    assert len(await client.drafts.list()) == 1
    assert {payment.id for payment in await client.transactions.page()} == {None}
    opened = await client.tickets.open("s", "b")
    ticket = await client.tickets.get(opened.id)
    assert (ticket.id, ticket.created_at, ticket.status_id) == (opened.id, None, 1), "the id is that of the question"
    (listed,) = await client.tickets.from_last_id()
    assert (listed.id, listed.status_id) == (opened.id, None)
    (paged,) = await client.tickets.page()
    assert (paged.id, paged.status_id) == (opened.id, 1)


async def test_notification_status_takes_an_id_alone(emulator: Emulator, client: SmsIrClient) -> None:
    notice = (await client.notifications.page())[0]
    await client.notifications.update_status(notice.id)
    assert (await client.notifications.page())[0].is_read is True
    assert "is_read" in type(notice).__slots__  # type: ignore[attr-defined]


WITHOUT_ID: list[Callable[[Any], Awaitable[Any]]] = [
    lambda c: c.groups.delete(None),
    lambda c: c.notifications.update_status(None),
    lambda c: c.occasional_messages.list(None),
]


@pytest.mark.parametrize("call", WITHOUT_ID)
async def test_ids_that_are_marked_optional_are_asked_for(call: Call, client: SmsIrClient) -> None:
    assert isinstance(await failure_of(call(client)), InvalidArgumentError)


async def test_uploads_are_multipart_with_their_fields_in_the_query(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.tickets.open("عنوان", "متن & ؟"), TicketId=1)
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert request.headers["enctype"] == "multipart/form-data", "as the document has it"
    assert query_of(request) == {"Subject": "عنوان", "Body": "متن & ؟"}
    assert "متن & ؟".encode() in request.body


async def test_a_text_too_long_for_a_url_travels_in_the_form_alone(
    emulator: Emulator, client: SmsIrClient, connect: Connect
) -> None:
    text = "خیلی دراز " * 2000
    request = await sent(connect, lambda c: c.tickets.open("عنوان", text), TicketId=1)
    assert "Body" not in query_of(request)
    assert "عنوان".encode() in request.body
    assert len(request.target) < 2000
    ticket = await client.tickets.open("عنوان", text)
    reply = await client.tickets.reply(ticket.id, text)
    assert (emulator.smsir.tickets[ticket.id].body, reply.ticket_id) == (text, ticket.id)
    assert emulator.smsir.tickets[ticket.id].replies[0].body == text


async def test_a_subject_too_long_for_a_url(emulator: Emulator, client: SmsIrClient) -> None:
    subject = "عنوان دراز " * 1000
    ticket = await client.tickets.open(subject, "متن")
    assert emulator.smsir.tickets[ticket.id].subject == subject


@pytest.mark.parametrize("rejects", [False, True])
async def test_empty_lists_in_the_count(rejects: bool, emulator: Emulator, client: SmsIrClient) -> None:
    emulator.smsir.switches.reject_empty_lists_in_count = rejects
    group = emulator.smsir.phone_book.add_group("g")
    member = emulator.smsir.phone_book.add_contact(group.id, "09121111111")
    assert member is not None
    assert (await client.messages.count_recipients(group_ids=[group.id])).valid == 1
    assert (await client.messages.count_recipients(contact_relation_ids=[member.relation_id])).valid == 1


async def test_of_two_refusals_of_a_count_the_first_is_told(connect: Connect) -> None:
    first = body(IsSuccessful=False, Message="گروه یافت نشد", ErrorCode=3)
    second = body(IsSuccessful=False, Message="لیست مخاطبان ارسال نشده است", ErrorCode=2)
    async with RawServer(answer(first), answer(second)) as server, connect(server.url) as client:
        error = await failure_of(client.messages.count_recipients(group_ids=[1]))
    assert isinstance(error, GatewayError)
    assert (error.code, error.gateway_message, error.operation) == (3, "گروه یافت نشد", "messages.count_recipients")


async def test_the_count_is_asked_again_without_the_empty_list(connect: Connect) -> None:
    refusal = body(IsSuccessful=False, Message="لیست خالی", ErrorCode=3)
    count = body(Count=4, InvalidCount=1)
    async with RawServer(answer(refusal), answer(count)) as server, connect(server.url) as client:
        found = await client.messages.count_recipients(group_ids=[1])
    assert (found.valid, found.invalid) == (4, 1)
    asked = [json.loads(request.body) for request in server.requests]
    assert asked == [{"ContactsGroupIds": [1], "ContactRelationIds": []}, {"ContactsGroupIds": [1]}]


async def test_a_count_refused_for_another_reason(connect: Connect) -> None:
    refusal = body(IsSuccessful=False, Message="نمی‌شود", ErrorCode=3)
    async with RawServer(answer(refusal)) as server, connect(server.url) as client:
        error = await failure_of(client.messages.count_recipients(group_ids=[1], contact_relation_ids=[2]))
        assert len(server.requests) == 1
        again = await failure_of(client.messages.count_recipients(group_ids=[1]))
    assert len(server.requests) == 3
    assert isinstance(error, GatewayError)
    assert isinstance(again, GatewayError)
    assert (error.outcome, again.outcome, again.code) == (Outcome.REFUSED, Outcome.REFUSED, 3)


async def test_creating_a_draft(emulator: Emulator, client: SmsIrClient, connect: Connect) -> None:
    assert json.loads((await sent(connect, lambda c: c.drafts.create("متن"))).body) == {"Id": None, "Message": "متن"}
    titled = await sent(connect, lambda c: c.drafts.create("متن", title="عنوان"))
    assert json.loads(titled.body) == {"Id": None, "Message": "متن", "Title": "عنوان"}
    assert [draft.text for draft in await client.drafts.create("متن", title="عنوان")] == ["متن"]
    assert len(emulator.smsir.drafts) == 1


async def test_deletions_send_objects(connect: Connect) -> None:
    assert json.loads((await sent(connect, lambda c: c.contacts.delete([1, 2]))).body) == {"Ids": [1, 2]}
    assert json.loads((await sent(connect, lambda c: c.groups.clear([7]))).body) == {"GroupIds": [7]}


async def test_pages_begin_with_0(connect: Connect) -> None:
    assert query_of(await sent(connect, lambda c: c.contacts.page())) == {"pageId": "0"}
    assert query_of(await sent(connect, lambda c: c.contacts.in_group(7))) == {"groupId": "7", "pageId": "0"}


async def test_last_id_begins_with_0(connect: Connect) -> None:
    assert query_of(await sent(connect, lambda c: c.tickets.from_last_id())) == {"lastId": "0"}


async def test_notifications_from_page_id_are_paged(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.notifications.page(2))
    assert request.target == "/v2/Notification/GetUserNotificationFromPageId?pageId=2"


async def test_the_token_is_a_plain_header(connect: Connect) -> None:
    request = await sent(connect, lambda c: c.faq())
    assert request.headers["x-sms-ir-secure-token"] == "a-token"


async def test_duplicates_unique_names_and_waiting(emulator: Emulator, client: SmsIrClient) -> None:
    first, second = await client.groups.create("یک"), await client.groups.create("دو")
    assert isinstance(await failure_of(client.groups.create("یک")), GatewayError)
    person = NewContact("09121111111")
    await client.contacts.add(first.id, [person, NewContact("09122222222")])
    await client.contacts.add(second.id, [person])
    assert {group.invalid_contacts_count for group in await client.groups.list()} == {2, 1}
    moved = await client.groups.transfer([one.relation_id for one in await client.contacts.in_group(first.id)], 7202)
    assert (moved.moved, moved.duplicates) == (1, 1)
    waiting = [contact.remaining_seconds or 0 for contact in await client.contacts.page()]
    assert all(0 < seconds <= 300 for seconds in waiting)
    emulator.clock.advance(301)
    assert {contact.remaining_seconds for contact in await client.contacts.page()} == {0}


def test_the_undocumented_method_is_marked_as_such() -> None:
    text = inspect.getdoc(Messages.send_to_numbers) or ""
    assert "not in the vendor's document" in text
    assert "``SendByMobileNumbers``" in text


async def test_message_and_code_of_a_success_can_be_had(emulator: Emulator) -> None:
    """Whatever the method gives back, a hook sees the answer; but not the one with the token."""
    seen: dict[str, bytes | None] = {}

    async def watch(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        reply = await proceed()
        seen[attempt.operation] = attempt.body
        return reply

    keys = ("emulator-key", "emulator-secret")
    async with SmsIrClient(*keys, base_url=emulator.smsir_url, hooks=[watch], keep_replies=True) as client:
        group = await client.groups.create("گروه")
        await client.contacts.add(group.id, [NewContact("09121111111")])
        await client.groups.delete(group.id)
    assert seen.pop("authenticate", b"") is None
    assert list(seen) == ["groups.create", "contacts.add", "groups.delete"]
    for body in seen.values():
        envelope = json.loads(body or b"")
        assert (envelope["Message"], envelope["ErrorCode"]) == ("عملیات با موفقیت انجام شد", 0)

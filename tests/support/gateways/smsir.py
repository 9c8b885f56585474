"""The row of sms.ir."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

from payamak import smsir
from payamak.emulator import Emulator
from payamak.emulator.smsir.records import Draft as KeptDraft
from payamak.emulator.smsir.records import Ticket as KeptTicket
from payamak.smsir import (
    Account,
    AddedContacts,
    CancelledContact,
    Contact,
    ContactGroup,
    Draft,
    NewContact,
    NewReply,
    NewTicket,
    Notification,
    OccasionalCategory,
    OccasionalMessage,
    Question,
    RecipientCount,
    RecipientStatus,
    SentBatch,
    SentMessage,
    SentRecipient,
    SmsIrClient,
    Ticket,
    TicketOptions,
    TicketStatus,
    Token,
    Transaction,
    Transfer,
    wire,
)

from support.gateways.row import Gateway, Run, Surface, keyed, once, reads, repeatable, to_json
from support.raw_server import answer
from support.sentinels import CHECK_ID, ECHO, KEY, NAME, PARAM, PASSWORD, PHONE, TEXT, USERNAME, leaks
from support.surface import OUTBOX, SEND_MANY

# Each of these holds a needle: the second key and the token, the subject and the file of a ticket.
SECRET_KEY, TOKEN, SUBJECT, FILE, BATCH = PASSWORD, USERNAME, PARAM, f"{NAME}.xlsx", CHECK_ID
PERSON = NewContact(PHONE, NAME, NAME, NAME)
GROUP, OTHER, CONTACT, RELATION, DRAFT, TICKET, NOTICE, CATEGORY = 7201, 7202, 51_001, 9_030_001, 5, 9, 2201, 11


class ReadyStore:
    """A token store that always has a token, and is given no secret as a key."""

    async def get(self, key: str) -> Token:
        assert not leaks(key)
        return Token(TOKEN, time.time())

    async def set(self, key: str, token: Token) -> None:
        assert not leaks(key, token)

    async def delete(self, key: str, token: Token) -> None:
        assert not leaks(key, token)


def _sheet(number: str) -> bytes:
    """An Excel file with one contact."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = f'<row><c t="str"><v>{number}</v></c></row>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return file.getvalue()


SHEET = _sheet("09129999999")
CALLS = keyed(
    [
        once("messages.send_to_numbers", lambda c: c.messages.send_to_numbers(PHONE, TEXT)),
        once("messages.send", lambda c: c.messages.send(TEXT, group_ids=[GROUP])),
        reads("messages.count_recipients", lambda c: c.messages.count_recipients(group_ids=[GROUP])),
        reads("messages.sent_page", lambda c: c.messages.sent_page()),
        reads("messages.sent_from_last_id", lambda c: c.messages.sent_from_last_id()),
        reads("messages.recipients", lambda c: c.messages.recipients(BATCH)),
        reads("transactions.page", lambda c: c.transactions.page()),
        reads("transactions.from_last_id", lambda c: c.transactions.from_last_id()),
        reads("groups.list", lambda c: c.groups.list()),
        once("groups.create", lambda c: c.groups.create(NAME)),
        repeatable("groups.update", lambda c: c.groups.update(OTHER, NAME)),
        once("groups.delete", lambda c: c.groups.delete(OTHER)),
        once("groups.clear", lambda c: c.groups.clear([GROUP])),
        once("groups.transfer", lambda c: c.groups.transfer([RELATION], OTHER)),
        once("contacts.add", lambda c: c.contacts.add(OTHER, [PERSON])),
        repeatable("contacts.update", lambda c: c.contacts.update(RELATION, PERSON)),
        once("contacts.upload_excel", lambda c: c.contacts.upload_excel(OTHER, SHEET, file_name=FILE)),
        reads(
            "contacts.search",
            lambda c: c.contacts.search(prefix=NAME, first_name=NAME, last_name=NAME, mobile=PHONE),
        ),
        reads("contacts.from_last_id", lambda c: c.contacts.from_last_id()),
        reads("contacts.in_group", lambda c: c.contacts.in_group(GROUP)),
        reads("contacts.cancelled", lambda c: c.contacts.cancelled()),
        reads("contacts.page", lambda c: c.contacts.page()),
        once("contacts.delete", lambda c: c.contacts.delete([RELATION])),
        reads("drafts.list", lambda c: c.drafts.list()),
        once("drafts.create", lambda c: c.drafts.create(TEXT, title=NAME)),
        repeatable("drafts.update", lambda c: c.drafts.update(DRAFT, TEXT)),
        once("drafts.delete", lambda c: c.drafts.delete(DRAFT)),
        reads("faq", lambda c: c.faq()),
        reads("notifications.page", lambda c: c.notifications.page()),
        reads("notifications.from_last_id", lambda c: c.notifications.from_last_id()),
        once("notifications.update_status", lambda c: c.notifications.update_status(NOTICE)),
        reads("occasional_messages.categories", lambda c: c.occasional_messages.categories()),
        reads("occasional_messages.list", lambda c: c.occasional_messages.list(CATEGORY)),
        once("tickets.open", lambda c: c.tickets.open(SUBJECT, TEXT, file=TEXT.encode(), file_name=FILE)),
        reads("tickets.get", lambda c: c.tickets.get(TICKET)),
        reads("tickets.from_last_id", lambda c: c.tickets.from_last_id()),
        reads("tickets.page", lambda c: c.tickets.page()),
        reads("tickets.options", lambda c: c.tickets.options()),
        once("tickets.close", lambda c: c.tickets.close(TICKET)),
        once("tickets.reply", lambda c: c.tickets.reply(TICKET, TEXT, file=TEXT.encode(), file_name=FILE)),
        reads("tickets.statuses", lambda c: c.tickets.statuses()),
        reads("account", lambda c: c.account()),
    ]
)
NO_EMOJI: Any = TEXT
BAD_CALLS: tuple[Run, ...] = (
    lambda c: c.messages.send(TEXT + "\udcff", group_ids=[7]),
    lambda c: c.messages.send(TEXT, group_ids=[PHONE]),
    lambda c: c.messages.send(TEXT, group_ids=PHONE),
    lambda c: c.messages.send(TEXT.encode(), group_ids=[7]),
    lambda c: c.messages.send_to_numbers(PHONE + "x", TEXT),
    lambda c: c.messages.send_to_numbers([PHONE, int(PHONE)], TEXT),
    lambda c: c.messages.recipients(BATCH + "\udcff"),
    lambda c: c.messages.recipients(BATCH, TEXT),
    lambda c: c.contacts.add(7, [NewContact(PHONE + "x")]),
    lambda c: c.contacts.add(7, [NewContact(PHONE, NAME + "\udcff")]),
    lambda c: c.contacts.add(7, [(PHONE, NAME)]),
    lambda c: c.contacts.add(7, [NewContact(PHONE, emoji=NO_EMOJI)]),
    lambda c: c.contacts.search(mobile=PHONE + "x"),
    lambda c: c.contacts.search(first_name=NAME + "\udcff"),
    lambda c: c.contacts.upload_excel(7, f"/{NAME}/{TEXT}.xlsx"),
    lambda c: c.contacts.upload_excel(7, Path(f"/{NAME}/{TEXT}.xlsx")),
    lambda c: c.contacts.upload_excel(7, b"x", file_name=TEXT),
    lambda c: c.contacts.upload_excel(7, TEXT + "\x00"),
    lambda c: c.drafts.create(TEXT, title=NAME + "\udcff"),
    lambda c: c.tickets.open(SUBJECT + "\udcff", TEXT),
    lambda c: c.tickets.open(SUBJECT, TEXT, file=f"/{NAME}/{TEXT}"),
    lambda c: c.tickets.reply(7, TEXT + "\udcff"),
    lambda c: c.groups.create(NAME + "\udcff"),
)
AREAS = {
    "transactions": smsir.Transactions,
    "groups": smsir.Groups,
    "contacts": smsir.Contacts,
    "drafts": smsir.Drafts,
    "messages": smsir.Messages,
    "notifications": smsir.Notifications,
    "occasional_messages": smsir.OccasionalMessages,
    "tickets": smsir.Tickets,
}
SURFACE = Surface(
    package="payamak.smsir",
    shared=(),
    own=(
        "Account", "AddedContact", "AddedContacts", "CancelledContact", "CancelledPage", "Choice", "Contact",
        "ContactGroup", "Contacts", "Draft", "Drafts", "Emoji", "Groups", "MemoryTokenStore", "Messages", "NewContact",
        "NewReply", "NewTicket", "Notification", "Notifications", "OccasionalCategory", "OccasionalMessage",
        "OccasionalMessages", "Question", "RecipientCount", "RecipientStatus", "SentBatch", "SentMessage",
        "SentRecipient", "SmsIrClient", "Ticket", "TicketOptions", "TicketReply", "TicketStatus", "Tickets", "Token",
        "TokenRejection", "TokenStore", "Transaction", "Transactions", "Transfer",
    ),
    areas={"": SmsIrClient, **AREAS},
    signatures={
        "SmsIrClient": "user_api_key, secret_key, *, base_url='https://api.sms.ir/users/v1/', token_store=None, "
        "token_lifetime=1800, token_refresh_margin=180, token_expiry_margin=10, token_store_timeout=1, "
        "token_rejection=TokenRejection(codes=(), words=()), "
        "timeout=Timeout(total=60.0, attempt=20.0, connect=5.0), "
        "retry=RetryPolicy(attempts=3, base_delay=0.5, max_delay=8.0), session=None, allow_http=False, proxy=None, "
        "ssl=None, trust_env=False, hooks=(), call_hooks=(), keep_replies=False",
        "NewContact": "mobile, prefix=None, first_name=None, last_name=None, emoji=None",
        "TokenRejection": "codes=(), words=()",
        "Token": "value, issued_at",
        "authenticate": "*, fresh=False",
        "send": "to, text",
        "account": "",
        "credit": "",
        "faq": "",
        "aclose": "",
        "send_many": SEND_MANY,
        "outbox": OUTBOX,
        "resolve": "error, messages, *, grace=60.0",
        "transactions.page": "page=0",
        "transactions.from_last_id": "last_id=0",
        "transactions.iterate": "",
        "groups.list": "",
        "groups.create": "name, color=None",
        "groups.update": "group_id, name, color=None",
        "groups.delete": "group_id",
        "groups.clear": "group_ids",
        "groups.transfer": "contact_relation_ids, to_group_id",
        "contacts.add": "group_id, contacts",
        "contacts.update": "contact_relation_id, contact, *, group_id=None",
        "contacts.upload_excel": "group_id, file, *, file_name=None",
        "contacts.search": "*, prefix=None, first_name=None, last_name=None, mobile=None, group_id=None, page=0",
        "contacts.from_last_id": "last_id=0",
        "contacts.in_group": "group_id, page=0",
        "contacts.cancelled": "page=0",
        "contacts.page": "page=0",
        "contacts.delete": "ids",
        "contacts.iterate": "group_id=None",
        "drafts.list": "",
        "drafts.create": "text, *, title=None",
        "drafts.update": "draft_id, text, *, title=None",
        "drafts.delete": "draft_id",
        "messages.send": "text, *, group_ids=(), contact_relation_ids=(), continue_on_error=False",
        "messages.send_to_numbers": "numbers, text, *, continue_on_error=False",
        "messages.count_recipients": "*, group_ids=(), contact_relation_ids=()",
        "messages.sent_page": "page=0",
        "messages.sent_from_last_id": "last_id=0",
        "messages.recipients": "batch_key, last_id=0",
        "messages.iterate_sent": "",
        "messages.iterate_recipients": "batch_key",
        "notifications.page": "page=0",
        "notifications.from_last_id": "last_id=0",
        "notifications.update_status": "notification_id",
        "notifications.iterate": "",
        "occasional_messages.categories": "",
        "occasional_messages.list": "category_id=0",
        "tickets.open": "subject, body, *, file=None, file_name=None, department_id=None, priority_id=None",
        "tickets.get": "ticket_id",
        "tickets.from_last_id": "last_id=0",
        "tickets.page": "page=0",
        "tickets.options": "",
        "tickets.close": "ticket_id",
        "tickets.reply": "ticket_id, body, *, file=None, file_name=None",
        "tickets.statuses": "",
        "tickets.iterate": "",
    },
)  # fmt: skip


async def _prepare(emulator: Emulator, _client: Any) -> None:
    """A group with a contact and one without, a draft, a ticket."""
    gateway = emulator.smsir
    gateway.account.user_api_key, gateway.account.secret_key = KEY, SECRET_KEY
    gateway.switches.membership_wait = 0
    assert [gateway.phone_book.add_group(name).id for name in ("full", "empty")] == [GROUP, OTHER]
    membership = gateway.phone_book.add_contact(GROUP, PHONE)
    assert membership is not None
    assert (membership.relation_id, membership.contact.id) == (RELATION, CONTACT)
    now = emulator.clock.now()
    gateway.drafts[DRAFT] = KeptDraft(DRAFT, "a draft", now)
    gateway.tickets[TICKET] = KeptTicket(TICKET, "a subject", "a question", 1, 1, 1, now)


def _state(emulator: Emulator) -> object:
    gateway = emulator.smsir
    return (
        [draft.text for draft in gateway.drafts.values()],
        [
            (ticket.subject, ticket.status_id, [reply.body for reply in ticket.replies])
            for ticket in gateway.tickets.values()
        ],
        [notification.is_read for notification in gateway.notifications],
    )


def envelope(successful: object = True, message: object = ECHO, code: object = 0, **fields: object) -> bytes:
    return to_json({"IsSuccessful": successful, "Message": message, "ErrorCode": code, **fields})


PERSON_REPLY = {"Id": 7, "ContactRelationId": 7, "Mobile": PHONE, "FirstName": NAME, "LastName": NAME, "Prefix": NAME}
MESSAGE_REPLY = {"Id": 7, "MobileNumber": int(PHONE), "Message": TEXT, "SmsMessageBody": TEXT}
WHOLE = envelope(
    Credit=7,
    FirstName=NAME,
    LastName=NAME,
    BusinessName=NAME,
    MobileNumber=PHONE,
    ReagentCode=CHECK_ID,
    TokenKey=TOKEN,
    Subject=SUBJECT,
    Body=TEXT,
    DownloadUrl=f"https://x/{FILE}",
    TicketReplyDetails=[{"Subject": SUBJECT, "Body": TEXT, "DownloadUrl": FILE}],
    TicketId=7,
    TicketReplyId=7,
    MessageId=7,
    Ids=[{"ID": 7, "MobileNumber": PHONE}],
    Messages=[MESSAGE_REPLY],
    ContactDetails=[PERSON_REPLY],
    Contacts=[PERSON_REPLY],
    AddedList=[PERSON_REPLY],
    ErroneousList=[PERSON_REPLY],
    DraftMessageDetails=[{"Message": TEXT}],
)
LISTS = (
    "Messages", "ContactDetails", "Contacts", "AddedList", "ErroneousList", "ContactGroups", "DraftMessageDetails",
    "Ids", "TicketReplyDetails", "TicketDetails", "Transaction", "FrequentlyAskedQuestions", "ListUserNotification",
    "OccasionalMessageCategory", "OccasionalMessages", "TicketStatus", "TicketPriorities", "TicketDepartments",
)  # fmt: skip
WRONG_ENTRY = {"Id": ECHO, "ID": ECHO, "ContactRelationId": ECHO, "Mobile": [PHONE]}

SMSIR = Gateway(
    label="smsir",
    name="smsir",
    client=SmsIrClient,
    credentials={"user_api_key": KEY, "secret_key": SECRET_KEY},
    offline={"token_store": ReadyStore()},
    url=lambda emulator: emulator.smsir_url,
    prepare=_prepare,
    state=_state,
    calls=CALLS,
    sample=("messages.send_to_numbers", "groups.delete", "groups.update", "contacts.page", "messages.count_recipients"),
    tokens="/GetToken",
    send_reply=to_json({"IsSuccessful": True, "MessageId": 7, "BatchKey": "a-batch", "Ids": []}),
    wraps=(
        to_json,
        lambda value: to_json({"IsSuccessful": True, **(value if isinstance(value, dict) else {})}),
        lambda value: to_json({"IsSuccessful": True, **dict.fromkeys(LISTS, value)}),
        lambda value: to_json({"IsSuccessful": False, "Message": value, "ErrorCode": value}),
    ),
    names=("IsSuccessful", "Message", "ErrorCode", *LISTS),
    models=(
        Account, AddedContacts, CancelledContact, Contact, ContactGroup, Draft, NewReply, NewTicket, Notification,
        OccasionalCategory, OccasionalMessage, Question, RecipientCount, RecipientStatus, SentBatch, SentMessage,
        SentRecipient, Ticket, TicketOptions, TicketStatus, Transaction, Transfer,
    ),
    echoes={
        "success": answer(WHOLE),
        "refusal": answer(envelope(False, "خطا " + " و ".join(ECHO.split()), 5)),
        "refusal with a code of another kind": answer(envelope(False, ECHO, ECHO)),
        "rejection of the token": answer(envelope(False, f"توکن {ECHO}", 5)),
        "rejection by status": answer(envelope(False, ECHO, 5), 401),
        "refusal without a Persian letter": answer(envelope(False, ECHO, 5)),
        "leaked exception": answer(envelope(False, f"Object reference not set: {ECHO}", 5)),
        "failure of ASP.NET": answer(to_json({"Message": ECHO, "StackTrace": ECHO}), 500),
        "refusal of ASP.NET": answer(to_json({"Message": ECHO, "MessageDetail": ECHO}), 404),
        "success of another kind": answer(envelope(ECHO)),
        "lists of another kind": answer(envelope(**dict.fromkeys(LISTS, ECHO), Credit=ECHO, TicketId=ECHO)),
        "entries of another kind": answer(envelope(**{name: [ECHO] for name in LISTS}, Credit=[ECHO], TicketId=[ECHO])),
        "entries with wrong values": answer(
            envelope(**{name: [WRONG_ENTRY] for name in LISTS})
        ),
    },
    bad_calls=BAD_CALLS,
    bad_settings=(
        {"user_api_key": KEY.encode()},
        {"secret_key": SECRET_KEY + "\udcff"},
        {"base_url": f"https://api.sms.ir/?key={KEY}"},
        {"token_lifetime": KEY},
        {"token_rejection": KEY},
    ),
    values=(
        PERSON,
        Token(TOKEN, 1.0),
        Contact(7, mobile=PHONE, first_name=NAME, last_name=NAME, prefix=NAME),
        Account(1, NAME, NAME, NAME, PHONE, referral_code=CHECK_ID),
        SentRecipient(7, PHONE),
        Ticket(subject=SUBJECT, body=TEXT, download_url=FILE),
        wire.Arguments({"number": PHONE}, {"Message": TEXT}),
    ),
    surface=SURFACE,
)  # fmt: skip

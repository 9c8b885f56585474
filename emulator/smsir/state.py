"""What the gateway remembers, and what can be set from outside."""

from __future__ import annotations

from collections import deque

from attrs import Factory, define, field

from .. import settings
from ..clock import Clock
from ..ledger import Ledger
from .phone_book import PhoneBook
from .records import Batch, Draft, Notification, OccasionalCategory, Question, Ticket, Transaction
from .seeds import first_notifications, first_transactions, occasional_categories, questions
from .tokens import Tokens

NAME = "smsir"
_FIRST_BATCH_ID = 1_441_579
# The vendor's SDK for this service reads 32 bits, that for the sibling service 64.
_FIRST_MESSAGE_ID = 1_300_000_001
_LONG = 2**32
_FIRST_DRAFT_ID = 301
_FIRST_TICKET_ID = 88_101
_FIRST_REPLY_ID = 120_501


@define
class Account:
    """The one account.

    Attributes:
        user_api_key: first half of the credentials.
        secret_key: second half.
        credit: what is left; the document does not say of what.
        sms_price: of one part of a message, in the same unit.
        expire: unix seconds; sends are refused afterwards (INFERRED).
        membership_keyword: what people send to join.
        cancel_membership_keyword: what they send to leave.
    """

    user_api_key: str = field(default="emulator-key", repr=False, validator=settings.text)
    secret_key: str = field(default="emulator-secret", repr=False, validator=settings.text)
    credit: int = field(default=1_000_000, validator=settings.integer())
    sms_price: int = field(default=155, validator=settings.integer(0))
    expire: int = field(default=2_524_608_000, validator=settings.integer(0))
    first_name: str = field(default="کاربر", validator=settings.text)
    last_name: str = field(default="آزمایشی", validator=settings.text)
    business_name: str = field(default="شرکت آزمایشی", validator=settings.text)
    is_trial: bool = field(default=False, validator=settings.boolean)
    membership_keyword: str = field(default="عضویت", validator=settings.text)
    cancel_membership_keyword: str = field(default="لغو", validator=settings.text)
    has_uploaded_national_card: bool = field(default=True, validator=settings.boolean)
    mobile_number: str = field(default="09120000000", validator=settings.text)
    reagent_code: str = field(default="EMU1397", validator=settings.text)


@define
class Switches:
    """What public sources leave open. The defaults follow the document, or the likeliest reading of it.

    "Methods" are named by the last part of their path, in any case; "*" means all but GetToken.

    Attributes:
        success_status: HTTP status of a success. The sibling service gives 201 for everything (INFERRED).
        failure_status: HTTP status of a failure in the envelope; None is the same as of a success.
        wrong_keys: GetToken with wrong keys answers "null_token" (success status, not successful, no token),
            "null_token_successful" (even says that it was successful), or "status_401" (with the envelope).
        token_rejection: a token that is missing, unknown or expired is answered with "status_401_envelope" (INFERRED),
            "status_401_message" (ASP.NET's own `{"Message"}`), or "envelope" (success status, not successful).
        reject_tokens: reject every token, however fresh.
        new_token_revokes_old: a new token ends those before it.
        dead_tokens: so many of the next tokens are dead on arrival; it counts down.
        last_id_direction: FromLastId methods give what is "older" or "newer" than the id.
        nulls: null is given where it was "reported" (EmojiId that nobody chose, names that nobody gave, the
            CreationDateTime of contacts by group, ErroneousList when all went well), also for "all" texts and empty
            lists, or for "none" of these.
        date_format: of Gregorian dates: "naive", "naive_7_digits", "offset", "zulu", "ms_json", "min_value".
        mobile_as_number: MobileNumber of GetSentMessagesMobileNumbers is a number, without its leading zero.
        ids_without_zero: MobileNumber in a send's Ids lacks its leading zero, as in an answer of the sibling service.
        long_message_ids: ids of messages need more than 32 bits, which the vendor's SDK for this service cannot read.
        emoji_as_string: EmojiId is given as a text.
        reject_empty_lists_in_count: GroupContactsDistinctCount refuses an empty list, as the vendor's SDK reports; the
            document demands one.
        delete_contacts_by: Ids of DeleteContacts are "relation" ids, "contact" ids, or "both" are understood.
        numbers_must_be_contacts: SendByMobileNumbers refuses numbers that are no contacts (INFERRED from users' code).
        waiting_applies_to_numbers: SendByMobileNumbers refuses contacts that still wait. INFERRED that it does not:
            users' code adds a contact and sends to it at once.
        partial_lists: without CanContinueInCaseOfError, of which the document says that the process stops at an error,
            those before the first wrong recipient are sent to; otherwise nobody is.
        partial_list_answer: such a send is answered with a "refusal", or as a "success" with the Ids of those before.
        sends_listed_after: seconds until the lists show a send, and its recipients.
        recipients_listed_every: seconds from one recipient of a send to the next, until the lists show them all.
        membership_sms: a new contact gets a membership SMS, which is in the ledger and costs nothing (INFERRED).
        membership_wait: seconds until a new contact may be sent to (the length is INFERRED).
        exception_after_send: both sends send, and then answer with the failure of a .NET exception, as reported.
        exception_in: methods that do nothing and answer with the failure of a .NET exception.
        empty_body: methods that answer with an empty body, after doing what was asked.
        null_body: methods that answer `null`, after doing what was asked.
        telecom_after: seconds until a message reaches telecom.
        delivered_after: seconds until it reaches the handset.
    """

    success_status: int = field(default=201, validator=settings.one_of(200, 201))
    failure_status: int | None = field(default=None, validator=settings.if_given(settings.http_status))
    wrong_keys: str = field(
        default="null_token", validator=settings.one_of("null_token", "null_token_successful", "status_401")
    )
    token_rejection: str = field(
        default="status_401_envelope",
        validator=settings.one_of("status_401_envelope", "status_401_message", "envelope"),
    )
    reject_tokens: bool = field(default=False, validator=settings.boolean)
    new_token_revokes_old: bool = field(default=False, validator=settings.boolean)
    dead_tokens: int = field(default=0, validator=settings.integer(0))
    last_id_direction: str = field(default="older", validator=settings.one_of("older", "newer"))
    nulls: str = field(default="reported", validator=settings.one_of("reported", "all", "none"))
    date_format: str = field(
        default="naive",
        validator=settings.one_of("naive", "naive_7_digits", "offset", "zulu", "ms_json", "min_value"),
    )
    mobile_as_number: bool = field(default=True, validator=settings.boolean)
    ids_without_zero: bool = field(default=False, validator=settings.boolean)
    long_message_ids: bool = field(default=False, validator=settings.boolean)
    emoji_as_string: bool = field(default=False, validator=settings.boolean)
    reject_empty_lists_in_count: bool = field(default=False, validator=settings.boolean)
    delete_contacts_by: str = field(default="both", validator=settings.one_of("both", "relation", "contact"))
    numbers_must_be_contacts: bool = field(default=True, validator=settings.boolean)
    waiting_applies_to_numbers: bool = field(default=False, validator=settings.boolean)
    partial_lists: bool = field(default=False, validator=settings.boolean)
    partial_list_answer: str = field(default="refusal", validator=settings.one_of("refusal", "success"))
    sends_listed_after: float = field(default=0.0, validator=settings.seconds)
    recipients_listed_every: float = field(default=0.0, validator=settings.seconds)
    membership_sms: bool = field(default=True, validator=settings.boolean)
    membership_wait: float = field(default=300.0, validator=settings.seconds)
    exception_after_send: bool = field(default=False, validator=settings.boolean)
    exception_in: tuple[str, ...] = field(default=(), converter=settings.to_tuple, validator=settings.texts())
    empty_body: tuple[str, ...] = field(default=(), converter=settings.to_tuple, validator=settings.texts())
    null_body: tuple[str, ...] = field(default=(), converter=settings.to_tuple, validator=settings.texts())
    telecom_after: float = field(default=1.0, validator=settings.seconds)
    delivered_after: float = field(default=3.0, validator=settings.seconds)


@define(eq=False)
class State:
    """Everything behind the gateway's methods. Lists are oldest first."""

    clock: Clock
    ledger: Ledger
    account: Account = Factory(Account)
    switches: Switches = Factory(Switches)
    tokens: Tokens = field(init=False)
    phone_book: PhoneBook = field(init=False)
    batches: deque[Batch] = Factory(deque[Batch])
    drafts: dict[int, Draft] = Factory(dict[int, Draft])
    tickets: dict[int, Ticket] = Factory(dict[int, Ticket])
    notifications: list[Notification] = Factory(first_notifications)
    transactions: list[Transaction] = Factory(first_transactions)
    questions: list[Question] = Factory(questions)
    occasional_categories: list[OccasionalCategory] = Factory(occasional_categories)
    sent_count: int = 0
    _next_batch_id: int = _FIRST_BATCH_ID
    _next_message_id: int = _FIRST_MESSAGE_ID
    _next_draft_id: int = _FIRST_DRAFT_ID
    _next_reply_id: int = _FIRST_REPLY_ID

    def __attrs_post_init__(self) -> None:
        self.tokens = Tokens(self.clock)
        self.phone_book = PhoneBook(self.clock)

    def text(self, value: str | None) -> str | None:
        """A text as replies show it: null is kept for what nobody gave, unless nulls are switched off."""
        return "" if value is None and self.switches.nulls == "none" else value

    def new_message_id(self) -> int:
        """An id of one message to one recipient."""
        self._next_message_id += 1
        return self._next_message_id - 1 + (_LONG if self.switches.long_message_ids else 0)

    def new_batch_id(self) -> int:
        """An id of one send."""
        self._next_batch_id += 1
        return self._next_batch_id - 1

    def add_batch(self, batch: Batch) -> None:
        """Enter a send with its messages, and forget the sends whose messages were dropped."""
        self.batches.append(batch)
        self.sent_count += len(batch.messages)
        for message in batch.messages:
            self.ledger.add(message)
        while not self.ledger.keeps(self.batches[0].messages[-1]):
            self.batches.popleft()

    def new_draft_id(self) -> int:
        """An id of a draft; one that was deleted is not given again."""
        self._next_draft_id += 1
        return self._next_draft_id - 1

    def new_ticket_id(self) -> int:
        """An id of a ticket."""
        return _FIRST_TICKET_ID + len(self.tickets)

    def new_reply_id(self) -> int:
        """An id of a reply to a ticket."""
        self._next_reply_id += 1
        return self._next_reply_id - 1

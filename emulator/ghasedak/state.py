"""What the gateway remembers, and what can be set from outside."""

from __future__ import annotations

from attrs import Factory, define, field

from .. import settings
from ..clock import Clock
from ..ledger import InboxMessage, Ledger
from .contacts import PhoneBook

_FIRST_MESSAGE_ID = 2_578_793_735
_FIRST_INBOX_ID = 1020
STATUS_REPLIES = (
    *("items", "null_ids", "zero_ids", "text_ids", "misspelled_ids", "short_receptors", "long_receptors"),
    *("null", "empty", "not_found"),
)


@define
class Account:
    """The one account. Prices are in rial: the document's samples show 155 for a message of one part and for a call.

    Attributes:
        key: the API key.
        credit: what is left, in rial.
        expire: unix seconds.
        lines: own sender lines, the one with the highest priority first.
        sms_price: of one part of a text message to Iran.
        voice_price: of one call.
        international_price: of one part, or of one call, to another country (INFERRED).
        service_line: the shared line that verification messages come from (INFERRED).
    """

    key: str = field(default="emulator-key", repr=False, validator=settings.text)
    credit: int = field(default=1_000_000, validator=settings.integer())
    expire: int = field(default=2_524_608_000, validator=settings.integer(0))
    lines: tuple[str, ...] = field(
        default=("10008566", "30005088", "300002525", "210002100", "5000222"),
        converter=settings.to_tuple,
        validator=settings.texts(),
    )
    sms_price: int = field(default=155, validator=settings.integer(0))
    voice_price: int = field(default=155, validator=settings.integer(0))
    international_price: int = field(default=5_000, validator=settings.integer(0))
    service_line: str = field(default="30005088", validator=settings.text)


@define
class Switches:
    """What public sources leave open. The defaults follow the document, or the likeliest reading of it.

    Attributes:
        errors_in_http_200: errors come with HTTP 200 instead of the envelope's code as status.
        per_recipient_errors: a refused recipient does not refuse the call; its error number stands in its id's place.
        voice_reply: a voice send answers "objects" (as the document shows) or "ids" (as the vendor's SDKs read it).
        cancel_reply: cancelling answers "ids" (document) or "objects" with messageId and status.
        unknown_id: status of an unknown id is an "item" with status -1, an "error" (419 with 10), or "omit"ted.
        cancelled_status: the vendor status that a cancelled message shows.
        contacts_first_page: number of the first page of a group's numbers; the document says 1 and its samples 0.
        inbox_first_page: number of the first page of received messages; the document says 0.
        reading_marks_as_read: whether a received message, once fetched, counts as read.
        strict_required: also require what the document marks required but gives a default for in the same breath:
            linenumber of simple and pair, senddate of voice, parent of the group list.
        strict_number_list_simple: simple takes one recipient only; otherwise a list, as a vendor README says.
        strict_contact_lists: names and emails must be as many as the numbers (error 4); the document's sample is not.
        bulk_broadcast: bulk repeats a single message or line for all recipients; otherwise error 4.
        partial_lists: a bad recipient in a list refuses the call after those before it were sent; otherwise nothing is.
        kept_check_ids: by which checkids the status finds a message: "all", "numbers" (of 18 digits at most, the first
            not 0: the document calls a checkid a number), or "none".
        duplicate_check_id: "accept" a checkid that an earlier call used, "refuse" it with error 5, or "ignore" it:
            nothing is sent, and the answer has the id of the message that was. The vendor's pages of the first version
            say that the panel can be set not to send a checkid again; what the answer then is, they do not.
        reused_check_id: of several messages with one checkid the status shows "all", the "first" or the "last".
        status_reply: of status: "items" as the document shows them; items with "null_ids", "zero_ids", "text_ids" or
            "misspelled_ids" (messageId for messageid); items whose receptor is a number, "short_receptors" (9121111111)
            or "long_receptors" (989121111111); "null" or "empty" in their place; or "not_found", the envelope of 404.
        appended_text: what status shows after the text that was sent, as some lines append to it.
        known_templates: names of approved templates; None accepts any.
        unknown_template_error: the error number for a template that is not known.
        refuse_blank_in_param: a value for a template is refused (400) if it holds a blank; so users quote an earlier
            document: "no line break, blank, underscore or separator". This document does not say it, and values with
            blanks were seen in code that runs.
        refuse_line_break_in_param: if it holds a line break.
        refuse_underscore_in_param: if it holds an underscore.
        refuse_missing_params: a template of `templates` is refused (400) if a value for it is missing; otherwise its
            place stays empty (both INFERRED).
        unknown_group: an unknown groupid is "not_found" (404) or an "exception" (419 with 10).
        refuse_calls_with: every call is refused with this error number (11: IP not valid, 6: account inactive ...).
        refuse_sends_with: every send is refused with this error number.
        telecom_after: seconds until a message reaches telecom (status 8).
        delivered_after: seconds until it reaches the handset (status 1).
    """

    errors_in_http_200: bool = field(default=False, validator=settings.boolean)
    per_recipient_errors: bool = field(default=False, validator=settings.boolean)
    voice_reply: str = field(default="objects", validator=settings.one_of("objects", "ids"))
    cancel_reply: str = field(default="ids", validator=settings.one_of("ids", "objects"))
    unknown_id: str = field(default="item", validator=settings.one_of("item", "error", "omit"))
    cancelled_status: int = field(default=2, validator=settings.integer())
    contacts_first_page: int = field(default=0, validator=settings.one_of(0, 1))
    inbox_first_page: int = field(default=0, validator=settings.one_of(0, 1))
    reading_marks_as_read: bool = field(default=False, validator=settings.boolean)
    strict_required: bool = field(default=False, validator=settings.boolean)
    strict_number_list_simple: bool = field(default=False, validator=settings.boolean)
    strict_contact_lists: bool = field(default=False, validator=settings.boolean)
    bulk_broadcast: bool = field(default=False, validator=settings.boolean)
    partial_lists: bool = field(default=False, validator=settings.boolean)
    kept_check_ids: str = field(default="all", validator=settings.one_of("all", "numbers", "none"))
    duplicate_check_id: str = field(default="accept", validator=settings.one_of("accept", "refuse", "ignore"))
    reused_check_id: str = field(default="all", validator=settings.one_of("all", "first", "last"))
    status_reply: str = field(default="items", validator=settings.one_of(*STATUS_REPLIES))
    appended_text: str | None = field(default=None, validator=settings.if_given(settings.text))
    known_templates: tuple[str, ...] | None = field(
        default=None, converter=settings.to_tuple, validator=settings.texts(optional=True)
    )
    unknown_template_error: int = field(default=10, validator=settings.integer(1))
    refuse_blank_in_param: bool = field(default=False, validator=settings.boolean)
    refuse_line_break_in_param: bool = field(default=False, validator=settings.boolean)
    refuse_underscore_in_param: bool = field(default=False, validator=settings.boolean)
    refuse_missing_params: bool = field(default=False, validator=settings.boolean)
    unknown_group: str = field(default="not_found", validator=settings.one_of("not_found", "exception"))
    refuse_calls_with: int | None = field(default=None, validator=settings.integer(1, optional=True))
    refuse_sends_with: int | None = field(default=None, validator=settings.integer(1, optional=True))
    telecom_after: float = field(default=1.0, validator=settings.seconds)
    delivered_after: float = field(default=3.0, validator=settings.seconds)


@define(eq=False)
class State:
    """Everything behind the gateway's methods."""

    clock: Clock
    ledger: Ledger
    account: Account = Factory(Account)
    switches: Switches = Factory(Switches)
    templates: dict[str, str] = Factory(dict[str, str])
    phone_book: PhoneBook = Factory(PhoneBook)
    inbox: list[InboxMessage] = Factory(list[InboxMessage])
    _next_message_id: int = _FIRST_MESSAGE_ID

    def new_message_id(self) -> int:
        """Ids are larger than 32 bits hold, as the vendor's are."""
        message_id = self._next_message_id
        self._next_message_id += 1
        return message_id

    def new_inbox_id(self) -> int:
        """Small ids, as in the document's samples."""
        return _FIRST_INBOX_ID + len(self.inbox)

"""What the gateway remembers, and what can be set from outside."""

from __future__ import annotations

from attrs import Factory, define, field

from .. import settings
from ..clock import Clock
from ..ledger import InboxMessage, Ledger

NAME = "advgateway"
_FIRST_MESSAGE_ID = 536_221_499

STYLES = ("struct", "map", "positional", "json", "multiref", "lost")


@define
class Account:
    """The one account, in rial.

    Attributes:
        user: `user` of SOAP, `uname` of REST.
        password: `pass`.
        credit: what is left.
        lines: own sender lines, without the country's code.
        sms_price: of one part of a message.
    """

    user: str = field(default="emulator", validator=settings.text)
    password: str = field(default="emulator", repr=False, validator=settings.text)
    credit: int = field(default=1_000_000, validator=settings.integer())
    lines: tuple[str, ...] = field(
        default=("50001", "3000505", "100020400"), converter=settings.to_tuple, validator=settings.texts()
    )
    sms_price: int = field(default=155, validator=settings.integer(0))


@define
class Switches:
    """What public sources leave open. The defaults follow the document, or the likeliest reading of it.

    Attributes:
        result_style: how SOAP writes a result: as nuSOAP does ("struct"), as PHP's own server does ("map"), as a list
            of texts whose names and inner lists are lost ("positional"), as "json" text, with "multiref" elements, or
            "lost" altogether, as the text `Array`.
        namespace: of the response's wrapper, and of the WSDL's operations.
        declares_iso_8859_1: SOAP says ISO-8859-1 while the bytes are UTF-8, as nuSOAP does unless told otherwise.
        gzip: SOAP compresses for clients that accept it.
        string_codes: ErrCode is a text everywhere; otherwise the document's type: a text in GetCredit and both sends,
            an integer in GetStatus and GetMsg.
        strict_order: arguments are taken by order and their names ignored, as nuSOAP does; otherwise by name, and by
            order if none of the names is known.
        parameter_order: for that: "document" (user and pass first), or "alternative" (last, as public code has it).
        strict_arrays: an array must be typed, a Map, or repeated elements, as nuSOAP demands; others have no entries.
        extra_argument: an argument the document does not have (messageType) is tolerated, otherwise a fault.
        status_result: result of GetStatus: "codes" in the order of the ids, a "map" of id to code (the struct style
            loses its keys, as nuSOAP does), or "objects" with status and statusId.
        unknown_id: in GetStatus: "zero" gives 0 as its code, "omit" leaves it out, "error" refuses with -3 (INFERRED).
        whole_call_failure: of SendMultipleSMS: one "flat" ErrCode and result, or a "list" of one.
        limit_counts: the 60 numbers are counted "before" or "after" duplicates collapse.
        limit_multiple: the limit holds for SendMultipleSMS too.
        partial_lists: a refused recipient refuses the whole call, of both sends, after those before it were sent to;
            otherwise SendSMS then sends to nobody, and SendMultipleSMS answers for each.
        reading_marks_as_read: whether GetMsg gives a message once only.
        fault_on_next: so many of the next SOAP calls are answered with a fault, and do nothing.
        telecom_after: seconds until a message reaches the operator.
        delivered_after: seconds until it reaches the handset.
    """

    result_style: str = field(default="struct", validator=settings.one_of(*STYLES))
    namespace: str = field(default="urn:smsserver", validator=settings.text)
    declares_iso_8859_1: bool = field(default=False, validator=settings.boolean)
    gzip: bool = field(default=False, validator=settings.boolean)
    string_codes: bool = field(default=False, validator=settings.boolean)
    strict_order: bool = field(default=False, validator=settings.boolean)
    parameter_order: str = field(default="document", validator=settings.one_of("document", "alternative"))
    strict_arrays: bool = field(default=False, validator=settings.boolean)
    extra_argument: bool = field(default=True, validator=settings.boolean)
    status_result: str = field(default="codes", validator=settings.one_of("codes", "map", "objects"))
    unknown_id: str = field(default="zero", validator=settings.one_of("zero", "omit", "error"))
    whole_call_failure: str = field(default="flat", validator=settings.one_of("flat", "list"))
    limit_counts: str = field(default="before", validator=settings.one_of("before", "after"))
    limit_multiple: bool = field(default=True, validator=settings.boolean)
    partial_lists: bool = field(default=False, validator=settings.boolean)
    reading_marks_as_read: bool = field(default=True, validator=settings.boolean)
    fault_on_next: int = field(default=0, validator=settings.integer(0))
    telecom_after: float = field(default=1.0, validator=settings.seconds)
    delivered_after: float = field(default=3.0, validator=settings.seconds)


@define(eq=False)
class State:
    """Everything behind the methods."""

    clock: Clock
    ledger: Ledger
    account: Account = Factory(Account)
    switches: Switches = Factory(Switches)
    inbox: list[InboxMessage] = Factory(list[InboxMessage])
    _messages: int = 0

    def new_message_id(self) -> int:
        """The id of the next message."""
        self._messages += 1
        return _FIRST_MESSAGE_ID + self._messages - 1

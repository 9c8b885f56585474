"""The vendor's error codes. Its document has none; these are what the panels of this family are known to answer."""

from __future__ import annotations

from ..common.errors import (
    AuthenticationError,
    GatewayError,
    InsufficientCreditError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from ..common.statuses import SERVER_ERROR

SUCCESS_CODES = frozenset({0, 102})
"""0 is success; 102 says that a number was put into a phone book."""

ERROR_CODES: dict[int, tuple[type[GatewayError], str]] = {
    1: (InvalidRequestError, "the text is empty"),
    2: (PermissionDeniedError, "the user is restricted"),
    3: (InvalidSenderError, "the line is not yours"),
    4: (InvalidRequestError, "there are no recipients"),
    5: (InsufficientCreditError, "the account has not enough credit"),
    6: (InvalidRequestError, "the text is too long or too short"),
    7: (InvalidSenderError, "the line cannot be used for sending to many"),
    9: (InvalidSenderError, "the line cannot send at this hour"),
    21: (InvalidRequestError, "the voice file has the wrong ending"),
    22: (InvalidRequestError, "the voice file is too large"),
    23: (InvalidRequestError, "the voice message is repeated too often"),
    98: (InvalidRequestError, "there are too many recipients"),
    99: (ServiceUnavailableError, "the operator of the line is not available; it may be later"),
    100: (InvalidRequestError, "the phone book does not exist"),
    101: (InvalidRequestError, "the number is in the phone book already"),
    111: (InvalidRequestError, "there are too many recipients for a voice message"),
    131: (InvalidRequestError, "a voice message can be repeated once only"),
    132: (InvalidRequestError, "the address of the voice file is missing"),
    266: (InvalidSenderError, "the shared line cannot send"),
    301: (InvalidRequestError, "the user name holds a character that is not allowed"),
    302: (InvalidRequestError, "no prices are set"),
    303: (InvalidRequestError, "the user name is missing"),
    304: (InvalidRequestError, "the user name is taken"),
    305: (InvalidRequestError, "the user name is missing"),
    306: (InvalidRequestError, "the national id is missing"),
    307: (InvalidRequestError, "the national id is wrong"),
    308: (InvalidRequestError, "the number of the birth certificate is wrong"),
    309: (InvalidRequestError, "the number of the birth certificate is missing"),
    310: (InvalidRequestError, "the email address is missing"),
    311: (InvalidRequestError, "the telephone number is missing"),
    312: (InvalidRequestError, "the telephone number is wrong"),
    313: (InvalidRequestError, "the address is missing"),
    314: (InvalidRequestError, "the mobile number is missing"),
    315: (InvalidRequestError, "the mobile number is wrong"),
    316: (InvalidRequestError, "the access level is wrong"),
    317: (InvalidRequestError, "the password is missing"),
    404: (NotFoundError, "the pattern is not available"),
    455: (NotFoundError, "the scheduled send of this bulk was cancelled"),
    456: (NotFoundError, "no bulk has this id"),
    458: (NotFoundError, "no ticket has this id"),
    962: (AuthenticationError, "the user name or password is wrong"),
    963: (PermissionDeniedError, "the user has no access"),
    964: (PermissionDeniedError, "the user is no reseller"),
    970: (InvalidRequestError, "the parameters do not fit the pattern"),
    971: (InvalidRequestError, "the pattern is wrong"),
    972: (InvalidRecipientError, "the recipient cannot get this pattern"),
    992: (PermissionDeniedError, "messages can be sent from 8 to 23 o'clock only"),
    993: (InvalidRequestError, "the phone books are not a list"),
    994: (PermissionDeniedError, "the panel asks for documents first"),
    995: (PermissionDeniedError, "the panel asks for documents first"),
    996: (PermissionDeniedError, "the pattern is not active"),
    997: (PermissionDeniedError, "the pattern may not be used"),
    998: (PermissionDeniedError, "the panel asks for documents first"),
    1001: (InvalidRequestError, "the user name has the wrong form"),
    1002: (InvalidRequestError, "the password is too weak"),
    1003: (GatewayError, "the registration failed: ask the panel's support"),
    1004: (GatewayError, "the registration failed: ask the panel's support"),
    1005: (GatewayError, "the registration failed: ask the panel's support"),
    1006: (InvalidRequestError, "the time to send at is past"),
}


def from_code(
    code: int, *, gateway_message: str | None, http_status: int, retry_after: float | None = None
) -> GatewayError:
    """Make the exception for a code of the vendor's."""
    kind, meaning = ERROR_CODES.get(code, (GatewayError, "the gateway answered with a code that is not known"))
    is_certain = code in ERROR_CODES and http_status < SERVER_ERROR
    return kind(
        f"{meaning} (code {code})",
        code=code,
        gateway_message=gateway_message,
        http_status=http_status,
        outcome=None if is_certain else Outcome.UNKNOWN,
        retry_after=retry_after,
    )

"""The account, and the vendor's answers to frequent questions."""

from __future__ import annotations

import attrs

from ..common.codec import Mobile, TehranTime, WholeAmount, wire


@attrs.frozen
class Account:
    """The account.

    Attributes:
        credit: The credit that is left, without a fraction.
        first_name: The owner's first name.
        last_name: The owner's last name.
        business_name: The name of the business.
        mobile: The owner's mobile number.
        is_expired: Whether the account has expired.
        is_trial: Whether it is on trial.
        expires_at: When it expires.
        persian_expires_at: The same in the Persian calendar, as the vendor writes it.
        days_left: How many days that is.
        sent_count: How many messages it has sent.
        membership_keyword: What people send to become members.
        cancel_membership_keyword: What people send to leave.
        has_uploaded_national_card: Whether the owner's identity card is with the vendor.
        referral_code: The code that brings new customers.
    """

    credit: WholeAmount = attrs.field(metadata=wire("Credit"))
    first_name: str | None = attrs.field(default=None, repr=False, metadata=wire("FirstName"))
    last_name: str | None = attrs.field(default=None, repr=False, metadata=wire("LastName"))
    business_name: str | None = attrs.field(default=None, repr=False, metadata=wire("BusinessName"))
    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=wire("MobileNumber"))
    is_expired: bool | None = attrs.field(default=None, metadata=wire("IsExpired"))
    is_trial: bool | None = attrs.field(default=None, metadata=wire("IsTrial"))
    expires_at: TehranTime | None = attrs.field(default=None, metadata=wire("ExpirationDateTime"))
    persian_expires_at: str | None = attrs.field(default=None, metadata=wire("PersianExpirationDateTime"))
    days_left: int | None = attrs.field(default=None, metadata=wire("ExpirationLeftDays"))
    sent_count: int | None = attrs.field(default=None, metadata=wire("SentCount"))
    membership_keyword: str | None = attrs.field(default=None, metadata=wire("MembershipKeyword"))
    cancel_membership_keyword: str | None = attrs.field(default=None, metadata=wire("CancelMembershipKeyword"))
    has_uploaded_national_card: bool | None = attrs.field(default=None, metadata=wire("HasUploadedNationalCard"))
    referral_code: str | None = attrs.field(default=None, repr=False, metadata=wire("ReagentCode"))


@attrs.frozen
class Question:
    """A frequent question with its answer.

    Attributes:
        question: The question.
        answer: The answer.
        created_at: When it was written.
        is_active: Whether it still holds.
        priority: Where it stands in the order.
        platform_key_id: The vendor's product that it belongs to.
    """

    question: str | None = attrs.field(default=None, metadata=wire("Question"))
    answer: str | None = attrs.field(default=None, metadata=wire("Answer"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=wire("CreationDateTime"))
    is_active: bool | None = attrs.field(default=None, metadata=wire("IsActive"))
    priority: int | None = attrs.field(default=None, metadata=wire("Priority"))
    platform_key_id: int | None = attrs.field(default=None, metadata=wire("PlatformKeyId"))

"""The account, and the vendor's answers to frequent questions."""

from __future__ import annotations

import attrs

from ..common.fields import Mobile, TehranTime, WholeAmount, named


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

    credit: WholeAmount = attrs.field(metadata=named("Credit"))
    first_name: str | None = attrs.field(default=None, repr=False, metadata=named("FirstName"))
    last_name: str | None = attrs.field(default=None, repr=False, metadata=named("LastName"))
    business_name: str | None = attrs.field(default=None, repr=False, metadata=named("BusinessName"))
    mobile: Mobile | None = attrs.field(default=None, repr=False, metadata=named("MobileNumber"))
    is_expired: bool | None = attrs.field(default=None, metadata=named("IsExpired"))
    is_trial: bool | None = attrs.field(default=None, metadata=named("IsTrial"))
    expires_at: TehranTime | None = attrs.field(default=None, metadata=named("ExpirationDateTime"))
    persian_expires_at: str | None = attrs.field(default=None, metadata=named("PersianExpirationDateTime"))
    days_left: int | None = attrs.field(default=None, metadata=named("ExpirationLeftDays"))
    sent_count: int | None = attrs.field(default=None, metadata=named("SentCount"))
    membership_keyword: str | None = attrs.field(default=None, metadata=named("MembershipKeyword"))
    cancel_membership_keyword: str | None = attrs.field(default=None, metadata=named("CancelMembershipKeyword"))
    has_uploaded_national_card: bool | None = attrs.field(default=None, metadata=named("HasUploadedNationalCard"))
    referral_code: str | None = attrs.field(default=None, repr=False, metadata=named("ReagentCode"))


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

    question: str | None = attrs.field(default=None, metadata=named("Question"))
    answer: str | None = attrs.field(default=None, metadata=named("Answer"))
    created_at: TehranTime | None = attrs.field(default=None, metadata=named("CreationDateTime"))
    is_active: bool | None = attrs.field(default=None, metadata=named("IsActive"))
    priority: int | None = attrs.field(default=None, metadata=named("Priority"))
    platform_key_id: int | None = attrs.field(default=None, metadata=named("PlatformKeyId"))

"""Groups, contacts and memberships.

A contact is one number of the account; a membership is that contact in one group and is what the vendor calls
relation. The ids of the two are far apart, so that no id can mean both.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import Factory, define

from ..clock import Clock

_FIRST_GROUP_ID = 7_201
_FIRST_CONTACT_ID = 51_001
_FIRST_RELATION_ID = 9_030_001
WHITE = "#ffffff"


@define(eq=False)
class Group:
    """A group; titles are unique."""

    id: int
    name: str
    color: str
    created_at: datetime


@define(eq=False)
class Contact:
    """One number. `valid_from` is when it may be messaged, after its membership SMS."""

    id: int
    mobile: str
    prefix: str | None
    first_name: str | None
    last_name: str | None
    emoji: int | None
    valid_from: datetime
    memberships: list[Membership] = Factory(list["Membership"])


@define(eq=False)
class Membership:
    """A contact in a group."""

    relation_id: int
    contact: Contact
    group_id: int
    created_at: datetime
    cancelled_at: datetime | None = None


class PhoneBook:
    """All groups and contacts of the account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[int, Group] = {}
        self._contacts: dict[str, Contact] = {}
        self._memberships: dict[int, Membership] = {}
        self._next_group_id = _FIRST_GROUP_ID
        self._next_contact_id = _FIRST_CONTACT_ID
        self._next_relation_id = _FIRST_RELATION_ID

    def add_group(self, name: str, color: str = WHITE) -> Group:
        """Create a group."""
        group = Group(self._next_group_id, name, color, self._clock.now())
        self._next_group_id += 1
        self._groups[group.id] = group
        return group

    def group(self, group_id: int) -> Group | None:
        """A group by id."""
        return self._groups.get(group_id)

    def group_named(self, name: str) -> Group | None:
        """A group by title; blanks around it and case make no other title (INFERRED)."""
        wanted = name.strip().casefold()
        return next((group for group in self._groups.values() if group.name.strip().casefold() == wanted), None)

    def groups(self) -> list[Group]:
        """All groups, oldest first."""
        return list(self._groups.values())

    def remove_group(self, group_id: int) -> None:
        """Remove a group and the memberships in it, cancelled ones too (INFERRED)."""
        del self._groups[group_id]
        for membership in [one for one in self._memberships.values() if one.group_id == group_id]:
            self.remove(membership)

    def contact(self, mobile: str) -> Contact | None:
        """A number that is, or once was, a contact: its waiting time is not to begin anew."""
        return self._contacts.get(mobile)

    def add_contact(
        self,
        group_id: int,
        mobile: str,
        *,
        prefix: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        emoji: int | None = None,
        wait: float = 0.0,
    ) -> Membership | None:
        """Put a number into a group; None if it is there already, be its membership cancelled or not (INFERRED).

        A number that is known keeps its id and its waiting time, and takes over the details that are given.
        """
        contact = self._contacts.get(mobile)
        if contact is None:
            contact = Contact(self._next_contact_id, mobile, prefix, first_name, last_name, emoji, self._clock.now())
            contact.valid_from += timedelta(seconds=wait)
            self._next_contact_id += 1
            self._contacts[mobile] = contact
        elif self.find_in_group(contact, group_id) is not None:
            return None
        else:
            change_details(contact, prefix, first_name, last_name, emoji)
        membership = Membership(self._next_relation_id, contact, group_id, self._clock.now())
        self._next_relation_id += 1
        self._memberships[membership.relation_id] = membership
        contact.memberships.append(membership)
        return membership

    def change_mobile(self, contact: Contact, mobile: str, wait: float) -> None:
        """Give a contact another number, which waits as a new one does (INFERRED)."""
        self._contacts.pop(contact.mobile)
        contact.mobile = mobile
        contact.valid_from = self._clock.now() + timedelta(seconds=wait)
        self._contacts[mobile] = contact

    def find(self, relation_id: int) -> Membership | None:
        """A membership by relation id."""
        return self._memberships.get(relation_id)

    def find_in_group(self, contact: Contact, group_id: int) -> Membership | None:
        """The contact's membership in a group, cancelled or not."""
        return next((one for one in contact.memberships if one.group_id == group_id), None)

    def memberships(self, group_id: int | None = None) -> list[Membership]:
        """Memberships that are not cancelled, newest first."""
        return [
            one
            for one in reversed(self._memberships.values())
            if one.cancelled_at is None and group_id in (None, one.group_id)
        ]

    def cancelled(self) -> list[Membership]:
        """Cancelled memberships, newest first."""
        return [one for one in reversed(self._memberships.values()) if one.cancelled_at is not None]

    def is_contact(self, mobile: str) -> bool:
        """Whether a number is in some group and has not cancelled."""
        contact = self._contacts.get(mobile)
        return contact is not None and any(one.cancelled_at is None for one in contact.memberships)

    def is_waiting(self, contact: Contact) -> bool:
        """Whether the time after the membership SMS is not over."""
        return contact.valid_from > self._clock.now()

    def remaining_seconds(self, contact: Contact) -> float:
        """How long the contact still waits."""
        left = (contact.valid_from - self._clock.now()).total_seconds()
        return round(max(left, 0.0), 3)

    def cancel(self, mobile: str) -> int:
        """Cancel every membership of a number; how many that were."""
        contact = self._contacts.get(mobile)
        live = [one for one in contact.memberships if one.cancelled_at is None] if contact is not None else []
        for membership in live:
            membership.cancelled_at = self._clock.now()
        return len(live)

    def remove(self, membership: Membership) -> None:
        """Remove one membership. The number stays known, so adding it again brings no second waiting time."""
        del self._memberships[membership.relation_id]
        membership.contact.memberships.remove(membership)

    def to_list(self) -> list[dict[str, object]]:
        """Groups with their contacts and all ids."""
        return [
            {"id": group.id, "name": group.name, "color": group.color, "contacts": self._contacts_of(group.id)}
            for group in self._groups.values()
        ]

    def _contacts_of(self, group_id: int) -> list[dict[str, object]]:
        return [
            {
                "relation_id": one.relation_id,
                "contact_id": one.contact.id,
                "mobile": one.contact.mobile,
                "prefix": one.contact.prefix,
                "first_name": one.contact.first_name,
                "last_name": one.contact.last_name,
                "emoji": one.contact.emoji,
                "remaining_seconds": self.remaining_seconds(one.contact),
                "cancelled": one.cancelled_at is not None,
            }
            for one in self._memberships.values()
            if one.group_id == group_id
        ]


def change_details(
    contact: Contact, prefix: str | None, first_name: str | None, last_name: str | None, emoji: int | None
) -> None:
    """Take over the details that are given; the others stay."""
    contact.prefix = contact.prefix if prefix is None else prefix
    contact.first_name = contact.first_name if first_name is None else first_name
    contact.last_name = contact.last_name if last_name is None else last_name
    contact.emoji = contact.emoji if emoji is None else emoji

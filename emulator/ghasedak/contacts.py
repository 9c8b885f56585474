"""The phone book: groups within groups, and numbers in groups. A number's record id is never told by the vendor."""

from __future__ import annotations

from attrs import asdict, define

_FIRST_GROUP_ID = 209_531
_FIRST_RECORD_ID = 217_820_318
ROOT = 0


@define
class Group:
    """A group; `parent` is 0 at the top."""

    id: int
    name: str
    parent: int


@define
class Contact:
    """One number in one group."""

    record_id: int
    group_id: int
    number: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


class PhoneBook:
    """All groups and contacts of the account."""

    def __init__(self) -> None:
        self._groups: dict[int, Group] = {}
        self._contacts: dict[int, Contact] = {}
        self._next_group_id = _FIRST_GROUP_ID
        self._next_record_id = _FIRST_RECORD_ID

    def has_group(self, group_id: int) -> bool:
        """Whether there is such a group; the root is none."""
        return group_id in self._groups

    def add_group(self, name: str, parent: int = ROOT, *, group_id: int | None = None) -> Group:
        """Create a group; tests may choose its id."""
        if group_id is None:
            group_id = self._next_group_id
            self._next_group_id += 1
        self._next_group_id = max(self._next_group_id, group_id + 1)
        group = Group(group_id, name, parent)
        self._groups[group_id] = group
        return group

    def groups(self, parent: int) -> list[Group]:
        """Groups directly under a parent."""
        return [group for group in self._groups.values() if group.parent == parent]

    def rename_group(self, group_id: int, name: str) -> None:
        """Give a group a new name."""
        self._groups[group_id].name = name

    def remove_group(self, group_id: int) -> None:
        """Remove a group with its numbers and the groups below it (INFERRED)."""
        doomed = [group_id]
        # The list grows while it is walked, so the walk reaches every level.
        for parent in doomed:
            doomed.extend(group.id for group in self.groups(parent) if group.id not in doomed)
        for identifier in doomed:
            self._groups.pop(identifier, None)
        self._contacts = {key: contact for key, contact in self._contacts.items() if contact.group_id not in doomed}

    def add_contact(self, group_id: int, number: str, first_name: str, last_name: str, email: str) -> Contact:
        """Put a number into a group."""
        contact = Contact(self._next_record_id, group_id, number, first_name, last_name, email)
        self._next_record_id += 1
        self._contacts[contact.record_id] = contact
        return contact

    def contacts(self, group_id: int) -> list[Contact]:
        """Numbers of a group, oldest first."""
        return [contact for contact in self._contacts.values() if contact.group_id == group_id]

    def remove_contact(self, group_id: int, record_id: int) -> None:
        """Take a number out of a group; a record that is not there is left as it is (INFERRED)."""
        contact = self._contacts.get(record_id)
        if contact is not None and contact.group_id == group_id:
            del self._contacts[record_id]

    def to_list(self) -> list[dict[str, object]]:
        """Groups with their numbers, record ids included."""
        return [
            {**asdict(group), "contacts": [asdict(contact) for contact in self.contacts(group.id)]}
            for group in self._groups.values()
        ]

"""What is peculiar to the models of the op-driven gateway."""

from __future__ import annotations

import attrs
import payamak.opgateway
from payamak.opgateway import Approval, Gender, ListEntry, Operator
from support.opgateway import NEW_USER


def test_enums() -> None:
    assert {member.name: member.value for member in Operator} == {"MCI": "tci", "IRANCELL": "mtn"}
    assert {member.name: member.value for member in Gender} == {"ALL": 0, "MEN": 1, "WOMEN": 2}
    assert {member.name: member.value for member in Approval} == {
        "APPROVED": "approve",
        "REJECTED": "cancel",
        "WAITING": "notconfirm",
    }


def test_kinds_of_entries() -> None:
    kinds = [getattr(payamak.opgateway, name) for name in ("PhoneBook", "AccessLevel", "PostalArea", "Job", "JobTrend")]
    assert all(issubclass(kind, ListEntry) for kind in kinds)
    assert all(kind(1, "a", {}) != other(1, "a", {}) for kind in kinds for other in kinds if kind is not other)


def test_a_new_user_shows_only_its_access_level() -> None:
    assert repr(attrs.evolve(NEW_USER, access_id=2)) == "NewUser(access_id=2)"

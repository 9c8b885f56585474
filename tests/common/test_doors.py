"""The names that the documentation shows can be imported from where it shows them, whatever room they live in."""

from __future__ import annotations

import importlib

import payamak.common
import pytest


@pytest.mark.parametrize(
    ("door", "names"),
    [
        ("payamak.common", ["HttpSession", "Journal", "JournalEntry", "Outcome", "RateLimiter", "SendMany", "Timeout"]),
        ("payamak.common.journal", ["Journal", "JournalEntry"]),
        ("payamak.common.sqlite_journal", ["SqliteJournal"]),
        ("payamak.common.errors", ["PayamakError"]),
        ("payamak.common.numbers", ["clean_digits", "normalize_iranian", "normalize_recipient"]),
        ("payamak.common.session", ["HttpSession", "Timeout"]),
        ("payamak.common.tokens", ["MemoryTokenStore", "Token", "TokenStore"]),
        ("payamak.smsir.stores", ["FileTokenStore", "RedisTokenStore"]),
        ("payamak.smsir", ["NewContact", "SmsIrClient", "TokenRejection"]),
        ("payamak.testing", ["RunningEmulator", "SentMessages"]),
        ("payamak.emulator", ["Emulator", "Fault"]),
    ],
)
def test_each_name_is_behind_its_door(door: str, names: list[str]) -> None:
    module = importlib.import_module(door)
    assert set(names) <= set(dir(module))
    assert all(hasattr(module, name) for name in getattr(module, "__all__", names))


def test_a_journal_is_one_and_the_same_behind_both_doors() -> None:
    assert importlib.import_module("payamak.common.journal").Journal is payamak.common.Journal

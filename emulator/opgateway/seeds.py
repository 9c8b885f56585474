"""What a fresh account finds: everything that can only be read or sent to through this service, never made."""

from __future__ import annotations

from attrs import define, frozen


@define
class PhoneBook:
    """A phone book and its numbers, as 09…."""

    id: int
    title: str
    numbers: list[str]


@frozen
class Named:
    """An access level, a postal area or a job."""

    id: int
    title: str


@frozen
class Resident:
    """A number that is known by its owner's address: `operator` is tci or mtn, `gender` 1 (male) or 2 (female)."""

    number: str
    operator: str
    gender: int
    postal_code: str


@frozen
class Trend:
    """A branch of a job and the numbers of those who work in it."""

    id: int
    title: str
    job_id: int
    numbers: tuple[str, ...]


def phone_books() -> list[PhoneBook]:
    """Two with numbers and an empty one."""
    return [
        PhoneBook(101, "مشتریان", ["09121110001", "09121110002", "09351110003"]),
        PhoneBook(102, "همکاران", ["09121110001", "09121110004"]),
        PhoneBook(103, "خالی", []),
    ]


ACCESS_LEVELS = (Named(1, "برنزی"), Named(2, "نقره‌ای"), Named(3, "طلایی"))
POSTAL_AREAS = (Named(13, "تهران/غرب"), Named(14, "تهران/شمال غرب"), Named(81, "اصفهان"))
RESIDENTS = (
    Resident("09122220001", "tci", 1, "1345610001"),
    Resident("09122220002", "tci", 2, "1345610002"),
    Resident("09122220003", "tci", 2, "1456710003"),
    Resident("09352220004", "mtn", 1, "1345610004"),
    Resident("09352220005", "mtn", 2, "8123410005"),
)
JOBS = (Named(11, "پزشکی"), Named(12, "ساختمان"))
TRENDS = (
    Trend(111, "دندان‌پزشک", 11, ("09123330001", "09123330002")),
    Trend(112, "چشم‌پزشک", 11, ("09123330003",)),
    Trend(121, "معمار", 12, ("09123330004", "09123330001")),
)

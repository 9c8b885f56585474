"""Where `send-many` writes down its results and its journal, and that no file is lost by it."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from .exits import CommandError
from .feed import is_file

_TRIAL = "emulator"
_NAME = re.compile(r"[\w-]+")
_JOURNAL_NAME = re.compile(r"\.journal\.db((\.[0-9a-f]{16})?\.lock|-journal)?", re.IGNORECASE)
_DATABASE = b"SQLite format 3\0"
# What stands there is written to as it is, also if it leads to a file: whoever gave it has that open.
_OPEN_ALREADY = ("/dev/std", "/dev/fd/", "/proc/")


@attrs.frozen
class Places:
    """Where things are written down.

    Attributes:
        results: Where the outcomes go; ``None`` for standard output.
        journal: Where the journal is; ``None`` for none.
        overwrites: Whether results may be written over that no journal tells.
    """

    results: Path | None
    journal: Path | None
    overwrites: bool = False


def choose_places(
    source: Path | None,
    results: Path | None,
    journal: Path | None,
    *,
    keeps_journal: bool,
    name: str | None = None,
    is_trial: bool = False,
    overwrites: bool = False,
) -> Places:
    """Decide where things are written down.

    Args:
        source: The file; ``None`` for standard input.
        results: What was named for the results; ``-`` is standard output.
        journal: What was named for the journal.
        keeps_journal: Whether there is to be one.
        name: What tells this job from others of the same file.
        is_trial: Whether nothing is sent, so that the job's own files must stay as they are.
        overwrites: Whether results may be written over that nothing else tells.

    Raises:
        CommandError: A place must be named, or what is there would be lost.
    """
    base = _find_base(source, name, is_trial=is_trial)
    if keeps_journal and journal is None:
        if base is None:
            raise CommandError("there is no name for the journal of a pipe: give --journal or --no-journal")
        journal = base.with_name(f"{base.name}.journal.db")
    if results is None and base is not None:
        results = base.with_name(f"{base.name}.results.csv")
    elif results is not None and (results == Path("-") or _is_standard_output(results)):
        results = None
    places = Places(results, journal, overwrites)
    _refuse_links(places)
    _refuse_clashes(source, places)
    if results is not None and is_replaced(results):
        _keep_what_is_there(results, places)
    return places


def is_replaced(results: Path) -> bool:
    """Whether results are written beside, and take their name at the end. What is no regular file is written to."""
    return not is_open_already(results) and (results.is_file() or not os.path.lexists(results))


def is_open_already(path: Path) -> bool:
    """Whether it is a name of what this program was started with, such as ``/dev/stdout``."""
    return os.path.abspath(path).startswith(_OPEN_ALREADY)


def part_of(results: Path) -> Path:
    """Where results are until they are complete."""
    whole = Path(os.path.realpath(results))
    return whole.with_name(f"{whole.name}.part")


def _find_base(source: Path | None, name: str | None, *, is_trial: bool) -> Path | None:
    """What the names of a job's files begin with; ``None`` for a pipe."""
    if name is not None and (not _NAME.fullmatch(name) or name.casefold() == _TRIAL):
        raise CommandError(f"--name is made of letters, digits, - and _, and is not {_TRIAL}")
    if source is None or not is_file(source):
        if name is not None:
            raise CommandError("--name is for a file: name the files of a pipe by --journal and --output")
        return None
    base = source.with_suffix("") if source.suffix.lower() == ".csv" else source
    return base.with_name(".".join([base.name, *([name] if name else []), *([_TRIAL] if is_trial else [])]))


def _is_standard_output(results: Path) -> bool:
    try:
        return os.path.samestat(results.stat(), os.fstat(1))
    except OSError:
        return False


def _refuse_links(places: Places) -> None:
    """Refuse to write through a link to a file: where others can write too, one of them may have put it there."""
    for what, path in (("--output", places.results), ("the journal", places.journal)):
        leads_to_file = path is not None and path.is_symlink() and (path.is_file() or not path.exists())
        if path is not None and leads_to_file and not is_open_already(path):
            raise CommandError(f"{what} is {path}, which is a symbolic link: name the file that it leads to")


def _refuse_clashes(source: Path | None, places: Places) -> None:
    """Refuse to write two things into one file, whatever path leads to it."""
    files: Mapping[str, Sequence[Path]] = {
        "the file itself": [source] if source and is_file(source) else [],
        "--output": [places.results, part_of(places.results)] if places.results else [],
        "the journal": _list_files_of(places.journal) if places.journal else [],
    }
    for (one, ours), (other, theirs) in itertools.combinations(files.items(), 2):
        if any(_is_same(mine, its) for mine in ours for its in theirs):
            first, second = (other, one) if one != "--output" else (one, other)
            raise CommandError(f"{first} is {second}, or a file that goes with it: name another")
    if places.results and (_JOURNAL_NAME.search(places.results.name) or _is_database(places.results)):
        raise CommandError("--output is a journal: name another")


def _list_files_of(journal: Path) -> list[Path]:
    return [Path(f"{os.path.realpath(journal)}{end}") for end in ("", ".lock", "-journal")]


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # One of them is not there yet.
        return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _is_database(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_DATABASE)) == _DATABASE


def _keep_what_is_there(results: Path, places: Places) -> None:
    journal = places.journal
    if places.overwrites or (journal and journal.exists() and journal.stat().st_size):
        return
    for path in (results, part_of(results)):
        if path.exists():
            raise CommandError(
                f"{path} is there, but no journal that says who has got a message already: "
                "move it away, or give --overwrite to send to all"
            )

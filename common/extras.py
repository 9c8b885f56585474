"""How to install what is missing, as messages say it. It changes in this place once the project is on an index."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """What to do to get what an extra of pyproject.toml adds."""
    return f'in your clone of payamak: pip install ".[{extra}]"'


def say_missing(module: str | None, extra: str) -> str:
    """Say that a module cannot be imported, and which extra has it."""
    return f"{module} is missing; {how_to_install(extra)}"

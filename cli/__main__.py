"""``payamak`` and ``python -m payamak.cli``."""

from __future__ import annotations

import sys

_EXTRA = {"aiolimiter", "aiosqlite", "filelock", "rich", "typer"}
_SETTINGS_ERROR = 4


def main() -> int:
    """Run the command, or say in one line what must be installed for it."""
    try:
        from .app import run  # noqa: PLC0415 -- it may be what fails

        return run()
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        from ..common.extras import say_missing  # noqa: PLC0415 -- only here

        sys.stderr.write(f"payamak: {say_missing(error.name, 'cli')}\n")
        return _SETTINGS_ERROR


if __name__ == "__main__":
    sys.exit(main())

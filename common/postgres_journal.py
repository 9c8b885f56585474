"""A journal for `send_many` in PostgreSQL. Needs ``pip install ".[postgres]"`` in a clone of payamak.

``python -m payamak.common.postgres_journal`` prints the SQL that makes its tables.
"""

import sys

from .many.postgres_journal import SCHEMA, PostgresJournal

__all__ = ["SCHEMA", "PostgresJournal"]

if __name__ == "__main__":
    sys.stdout.write(SCHEMA)

"""``python -m fuzz``, with ``tests`` on the path."""

from __future__ import annotations

import sys

from .rounds import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command ``payamak``. In a clone, ``pip install ".[cli]"`` has all that it needs; see docs/command-line.md."""

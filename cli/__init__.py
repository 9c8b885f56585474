"""The command ``payamak``. In a clone, ``pip install ".[cli]"`` has what it needs; docs/command-line.md is its manual."""

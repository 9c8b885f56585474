"""The command ``payamak``. It needs ``pip install ".[cli]"`` in a clone of payamak; docs/command-line.md is its manual."""

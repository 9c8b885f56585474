"""The command ``payamak``. It needs ``pip install "payamak[cli]"``; docs/command-line.md is its manual."""

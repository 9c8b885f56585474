"""Many waves of `send_many` against an emulator that fails at random: ``python -m soak``. See docs/soak.md."""

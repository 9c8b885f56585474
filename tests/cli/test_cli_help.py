"""`python -OO` takes the docstrings away: a command's help must not be one."""

from __future__ import annotations

from payamak.cli.app import app


def test_every_command_has_its_help_as_an_argument() -> None:
    assert len(app.registered_commands) == 6
    assert all(command.help for command in app.registered_commands)

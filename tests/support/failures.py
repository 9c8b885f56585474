"""Calls that must fail."""

from __future__ import annotations

from collections.abc import Awaitable

from payamak.common import PayamakError


async def failure_of(awaitable: Awaitable[object]) -> PayamakError:
    """The error that it must raise."""
    try:
        result = await awaitable
    except PayamakError as error:
        return error
    raise AssertionError(f"no error, but {result!r}")

"""Deadlines pass when nothing else happens, however busy the machine is."""

from __future__ import annotations

from support.clock import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]

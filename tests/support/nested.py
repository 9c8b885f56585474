"""Runs of pytest inside a test."""

from __future__ import annotations

import pytest

from .warm import for_nested_pytest


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """As `pytester.runpytest_subprocess`, in a fork. In development mode: what is left open warns."""
    folder = f"--basetemp={pytester.path / 'temporary'}"
    return pytester.run(*for_nested_pytest(), "-m", "pytest", folder, *arguments, timeout=60)

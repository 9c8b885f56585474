"""What error trackers must not find: they write down the locals of each frame of a traceback, and all within them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast

import attrs

P = ParamSpec("P")
T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value in a local that outlives an exception, and shows nothing of it."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<hidden>"


def hide_fields(_class: type, fields: Sequence[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Show no field of an attrs class: some tools look at each of them, whatever the ``repr`` of the class says."""
    return [field.evolve(repr=False) for field in fields]


def strip_frames(error: BaseException) -> None:
    """Take the frames below the caller from an error that it has caught, and from what hangs on it.

    Bodies, headers and answers are locals there, in this library's frames and in those of aiohttp. What the user was
    handling when the call began hangs on it as well; that keeps its frames.
    """
    frame = inspect.currentframe()
    frame = frame and frame.f_back and frame.f_back.f_back  # Of whoever has called the caller.
    callers: set[object] = set()
    while frame is not None:
        callers.add(frame)
        frame = frame.f_back
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        found = waiting.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        trace = found.__traceback__
        if trace is not None and trace.tb_frame in callers:
            continue
        found.__traceback__ = None
        waiting += (found.__cause__, found.__context__)
        if isinstance(found, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", found).exceptions


def hides_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function whose arguments hold secrets: what it raises does not lead to them."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            strip_frames(error)
            raise
        finally:
            del args, kwargs

    return call

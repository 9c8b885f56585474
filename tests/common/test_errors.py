"""Every exception class: its place in the tree, its outcome, and that it survives pickling and copying."""

from __future__ import annotations

import copy
import datetime
import inspect
import pickle
import re
from typing import Any

import pytest
from payamak import common, ghasedak
from payamak.common import errors
from payamak.common.errors import GatewayError, InvalidArgumentError, Outcome, PayamakError, Sent, TransportError

CLASSES: list[type[PayamakError]] = [
    value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, PayamakError)
]
VALUES: dict[str, Any] = {
    "gateway": "ghasedak",
    "operation": "send",
    "operation_id": "0123",
    "outcome": Outcome.UNKNOWN,
    "retry_after": 2.5,
    "_references": ("mark",),
    "at": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "argument": "recipients[3]",
    "http_status": 418,
    "field": "items[0].price",
    "code": 9,
    "gateway_message": "پیام",
    "message_ids": (70001,),
    "is_bare": True,
    "_body": None,
}


def make(kind: type[PayamakError]) -> PayamakError:
    error = kind("what happened")
    for name in vars(error):
        setattr(error, name, VALUES[name])
    error.add_note("a note")
    return error


def duplicates(error: PayamakError) -> list[PayamakError]:
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(error, protocol)) for protocol in protocols]  # noqa: S301
    return [*pickled, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(pickled[-1]))]  # noqa: S301


@pytest.mark.parametrize("kind", CLASSES)
def test_pickling_and_copying_keep_everything(kind: type[PayamakError]) -> None:
    error = make(kind)
    for twin in duplicates(error):
        assert twin is not error
        assert type(twin) is kind
        assert str(twin) == str(error)
        assert repr(twin) == repr(error)
        assert twin.args == error.args
        assert twin.outcome is error.outcome
        assert vars(twin) == vars(error)


@pytest.mark.parametrize("kind", CLASSES)
def test_the_outcome_of_a_fresh_error_is_that_of_its_class(kind: type[PayamakError]) -> None:
    error = kind("what happened")
    assert error.outcome is kind.default_outcome
    assert (error.gateway, error.operation, error.operation_id, error.retry_after) == (None, None, None, None)
    assert str(error) == f"what happened (outcome: {error.outcome.value})"
    assert kind().outcome is kind.default_outcome
    for twin in duplicates(error):
        assert vars(twin) == vars(error)


def test_the_default_outcomes() -> None:
    found = {kind.__name__: kind.default_outcome for kind in CLASSES if not issubclass(kind, GatewayError)}
    assert found == {
        "PayamakError": Outcome.UNKNOWN,
        "InvalidArgumentError": Outcome.NOT_SENT,
        "ClientStateError": Outcome.NOT_SENT,
        "JournalError": Outcome.NOT_SENT,
        "TransportError": Outcome.UNKNOWN,
        "ConnectionFailedError": Outcome.NOT_SENT,
        "ConnectionLostError": Outcome.UNKNOWN,
        "RequestTimeoutError": Outcome.UNKNOWN,
        "ReplyError": Outcome.UNKNOWN,
    }
    assert {kind.default_outcome for kind in CLASSES if issubclass(kind, GatewayError)} == {Outcome.REFUSED}


def test_only_a_failed_connection_was_never_sent() -> None:
    for kind in CLASSES:
        if issubclass(kind, TransportError):
            never = kind("x").sent is Sent.NEVER
            assert never is (kind.__name__ == "ConnectionFailedError")
            assert never is (kind.default_outcome is Outcome.NOT_SENT)


def documented_tree() -> dict[str, str]:
    """Each class of the module's docstring and the class above it."""
    parents: dict[str, str] = {"PayamakError": "Exception"}
    above = {0: "PayamakError"}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ((?:│  |   )*)[├└]─ (.*)", line)
        if match is None:
            continue
        depth = len(match[1]) // 3 + 1
        for name in re.findall(
            r"\b[A-Z]\w+Error\b", match[2].replace("also a ValueError", "").replace("also a RuntimeError", "")
        ):
            parents[name] = above[depth - 1]
            above[depth] = name
    return parents


def test_the_tree_is_that_of_the_docstring() -> None:
    assert {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES} == documented_tree()


def test_the_built_in_families() -> None:
    assert issubclass(errors.InvalidArgumentError, ValueError)
    assert issubclass(errors.ClientStateError, RuntimeError)
    assert not issubclass(errors.TransportError, OSError), "`except OSError` of the caller must not swallow it"
    assert not issubclass(errors.RequestTimeoutError, TimeoutError)


def test_every_class_is_exported() -> None:
    names = {kind.__name__ for kind in CLASSES}
    assert names <= set(common.__all__)
    assert names <= set(ghasedak.__all__)
    for module in (common, ghasedak):
        assert len(set(module.__all__)) == len(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)


def test_the_text_says_who_what_and_what_became_of_it() -> None:
    error = InvalidArgumentError("text is empty", argument="text")
    error.gateway, error.operation, error.operation_id = "ghasedak", "send", "0123"
    assert str(error) == "ghasedak send: text is empty (outcome: not sent, operation id 0123)"


def test_the_text_does_not_hold_what_the_vendor_wrote() -> None:
    error = GatewayError("refused", gateway_message="to 09121234567", code=8)
    assert "0912" not in f"{error} {error!r} {error.args}"

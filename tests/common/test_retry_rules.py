"""What may be repeated, and after how long: the pure rules, in one table."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payamak.common import (
    AuthenticationError,
    ClientStateError,
    ConnectionFailedError,
    ConnectionLostError,
    GatewayError,
    InsufficientCreditError,
    InvalidArgumentError,
    InvalidRecipientError,
    InvalidRequestError,
    InvalidSenderError,
    NotFoundError,
    Outcome,
    PayamakError,
    PermissionDeniedError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    RetryPolicy,
    ServiceUnavailableError,
    TransportError,
)
from payamak.common.retry import Effect, may_repeat, wait_before_next

READ, REPEATABLE, ONCE = Effect.NONE, Effect.REPEATABLE, Effect.ONCE
HARMLESS = {READ, REPEATABLE}
ALL = {READ, REPEATABLE, ONCE}


def bare(error: GatewayError) -> GatewayError:
    """Make the answer nothing but its HTTP status."""
    error.is_bare = True
    return error


TABLE: list[tuple[PayamakError, set[Effect]]] = [
    (ConnectionFailedError("x"), ALL),
    (bare(RateLimitError("x", http_status=429)), ALL),
    (RateLimitError("x", http_status=429), HARMLESS),
    (RateLimitError("x", http_status=200), HARMLESS),
    (RateLimitError("x"), HARMLESS),
    (ServiceUnavailableError("x", http_status=200), HARMLESS),
    (ServiceUnavailableError("x", http_status=503), HARMLESS),
    (bare(ServiceUnavailableError("x", http_status=503)), HARMLESS),
    (ServiceUnavailableError("x", http_status=419, outcome=Outcome.UNKNOWN), HARMLESS),
    (ServiceUnavailableError("x"), HARMLESS),
    (ConnectionLostError("x"), HARMLESS),
    (RequestTimeoutError("x"), HARMLESS),
    (TransportError("x"), HARMLESS),
    (ReplyError("x", http_status=500), HARMLESS),
    (ReplyError("x", http_status=503), HARMLESS),
    (ReplyError("x", http_status=599), HARMLESS),
    (ReplyError("x", http_status=200), set()),
    (ReplyError("x", http_status=307), set()),
    (ReplyError("x", http_status=408), set()),
    (ReplyError("x"), set()),
    (GatewayError("x", http_status=500, outcome=Outcome.UNKNOWN), HARMLESS),
    (AuthenticationError("x", http_status=500), set()),
    (GatewayError("x", http_status=419), set()),
    (GatewayError("x", http_status=419, outcome=Outcome.UNKNOWN), set()),
    (bare(GatewayError("x", http_status=404)), set()),
    (GatewayError("x"), set()),
    (PayamakError("x"), set()),
    (InvalidArgumentError("x"), set()),
    (ClientStateError("x"), set()),
    *(
        (kind("x", http_status=400), set())
        for kind in (
            AuthenticationError,
            PermissionDeniedError,
            InsufficientCreditError,
            InvalidRequestError,
            InvalidRecipientError,
            InvalidSenderError,
            NotFoundError,
        )
    ),
]


@pytest.mark.parametrize("effect", Effect)
@pytest.mark.parametrize(
    ("error", "repeated_for"),
    TABLE,
    ids=[
        f"{type(error).__name__}-{getattr(error, 'http_status', None)}-{'bare' * getattr(error, 'is_bare', False)}"
        for error, _ in TABLE
    ],
)
def test_what_may_be_repeated(error: PayamakError, repeated_for: set[Effect], effect: Effect) -> None:
    assert may_repeat(effect, error) is (effect in repeated_for)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailedError("x", outcome=Outcome.UNKNOWN),
        bare(RateLimitError("x", outcome=Outcome.UNKNOWN)),
        ServiceUnavailableError("x", outcome=Outcome.UNKNOWN),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_send_of_unknown_outcome_is_never_repeated_whatever_the_class_of_its_error(error: PayamakError) -> None:
    assert may_repeat(ONCE, error) is False


@pytest.mark.parametrize(("attempt", "again"), [(1, True), (2, True), (3, False), (4, False)])
def test_attempts_are_exhausted(attempt: int, again: bool) -> None:
    wait = wait_before_next(RetryPolicy(), READ, ConnectionLostError("x"), attempt=attempt, remaining=math.inf)
    assert (wait is not None) is again


def test_one_attempt_means_never_again() -> None:
    policy = RetryPolicy(attempts=1)
    for effect, error in itertools.product(Effect, (error for error, _ in TABLE)):
        assert wait_before_next(policy, effect, error, attempt=1, remaining=math.inf) is None


@given(
    base=st.floats(0, 100),
    most=st.floats(0, 100),
    attempt=st.integers(1, 99),
)
def test_backoff_is_full_jitter_within_bounds(base: float, most: float, attempt: int) -> None:
    policy = RetryPolicy(attempts=100, base_delay=base, max_delay=most)
    wait = wait_before_next(policy, READ, ConnectionLostError("x"), attempt=attempt, remaining=math.inf)
    assert wait is not None
    assert 0 <= wait <= min(most, base * 2 ** (attempt - 1))


@pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (6, 8), (99, 8)])
def test_the_bound_doubles_up_to_the_longest_and_the_whole_range_is_used(attempt: int, bound: float) -> None:
    policy = RetryPolicy(attempts=100)
    waits = [
        wait_before_next(policy, ONCE, ConnectionFailedError("x"), attempt=attempt, remaining=math.inf) or 0
        for _ in range(400)
    ]
    assert max(waits) <= bound
    assert max(waits) > bound * 0.8
    assert min(waits) < bound * 0.2


@pytest.mark.parametrize(
    ("retry_after", "remaining", "wait"),
    [
        (3.0, 3.1, 3.0),
        (3.0, 3.0, None),
        (3.0, 2.9, None),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, None),
        (0.0, -1.0, None),
        (86_400.0, math.inf, 86_400.0),
        (math.inf, math.inf, None),
    ],
)
def test_retry_after_is_kept_exactly_or_not_waited_for_at_all(
    retry_after: float, remaining: float, wait: float | None
) -> None:
    error = bare(RateLimitError("x", retry_after=retry_after))
    assert wait_before_next(RetryPolicy(), ONCE, error, attempt=1, remaining=remaining) == wait


def test_no_wait_passes_the_deadline() -> None:
    policy = RetryPolicy(base_delay=5, max_delay=5)
    for _ in range(200):
        wait = wait_before_next(policy, READ, ConnectionLostError("x"), attempt=1, remaining=1)
        assert wait is None or wait < 1


def test_retry_after_does_not_make_more_errors_repeatable() -> None:
    error = ReplyError("x", http_status=503, retry_after=0)
    assert wait_before_next(RetryPolicy(), ONCE, error, attempt=1, remaining=9) is None


@pytest.mark.parametrize("attempts", [0, -1, 101, 1.5, "3", True, None])
def test_attempts_are_checked(attempts: object) -> None:
    with pytest.raises(InvalidArgumentError, match="attempts"):
        RetryPolicy(attempts=attempts)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["base_delay", "max_delay"])
@pytest.mark.parametrize("value", [-0.1, "1", None, True, False, math.nan])
def test_delays_are_checked(name: str, value: object) -> None:
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        RetryPolicy(**{name: value})  # type: ignore[arg-type]
    assert caught.value.argument == name

"""Hooks observe each attempt; nothing they do may send twice or lose a result."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    AuthenticationError,
    ClientStateError,
    ConnectionLostError,
    Hook,
    InvalidArgumentError,
    Outcome,
    PayamakError,
    Proceed,
)
from payamak.common.hooks import has_nothing_left
from payamak.ghasedak import GhasedakClient
from support.ghasedak import KEY, ask, failure_of, make_client, send
from support.raw_server import RawServer, accept, answer, close_read, envelope

UNAUTHORISED = answer(envelope(code=401, message="no"), 401)


class HookError(Exception):
    """What a broken hook raises."""


async def test_what_a_hook_sees() -> None:
    before: list[object] = []
    after: list[Attempt] = []
    replies: list[AttemptReply] = []

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        before.append((call.duration, call.http_status, call.outcome))
        try:
            reply = await proceed()
            replies.append(reply)
            return reply
        finally:
            after.append(call)

    script = [close_read, answer(b"<html>", 502), accept({"status": 1})]
    async with RawServer(*script) as server, make_client(server.url, hooks=[hook]) as client:
        await ask(client)

    assert before == [(None, None, None)] * 3
    assert [call.number for call in after] == [1, 2, 3]
    assert {(call.gateway, call.operation) for call in after} == {("ghasedak", "statuses")}
    assert len({call.operation_id for call in after}) == 1
    assert [call.http_status for call in after] == [None, 502, 200]
    assert [call.outcome for call in after] == [Outcome.UNKNOWN, Outcome.UNKNOWN, None]
    assert all(call.duration is not None and 0 < call.duration < 5 for call in after)
    assert replies == [AttemptReply(200, len(envelope([{"status": 1}])))]


async def test_the_first_hook_is_outermost() -> None:
    steps: list[str] = []

    def make(name: str) -> object:
        async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
            steps.append(f"{name} in")
            reply = await proceed()
            steps.append(f"{name} out")
            return reply

        return hook

    hooks = [make("a"), make("b"), make("c")]
    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=hooks) as client:
        await send(client)
    assert steps == ["a in", "b in", "c in", "c out", "b out", "a out"]


async def test_a_refusal_reaches_the_hook_and_the_caller() -> None:
    seen: list[PayamakError] = []

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        try:
            return await proceed()
        except PayamakError as error:
            seen.append(error)
            raise

    async with RawServer(UNAUTHORISED) as server, make_client(server.url, hooks=[hook]) as client:
        error = await failure_of(send(client))
    assert error is seen[0]


async def test_no_hook_runs_for_bad_arguments() -> None:
    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        raise AssertionError

    async with make_client("http://127.0.0.1:9/", hooks=[hook]) as client:
        assert isinstance(await failure_of(client.send("", "text")), InvalidArgumentError)


async def fail_before(call: Attempt, proceed: Proceed) -> AttemptReply:
    raise HookError("before")


async def fail_after(call: Attempt, proceed: Proceed) -> AttemptReply:
    await proceed()
    raise HookError("after")


async def fail_on_failure(call: Attempt, proceed: Proceed) -> AttemptReply:
    try:
        return await proceed()
    except PayamakError:
        raise HookError("on failure") from None


async def swallow(call: Attempt, proceed: Proceed) -> AttemptReply:
    try:
        return await proceed()
    except PayamakError:
        return AttemptReply(200, 0)


async def call_twice(call: Attempt, proceed: Proceed) -> AttemptReply:
    await proceed()
    return await proceed()


async def call_twice_at_once(call: Attempt, proceed: Proceed) -> AttemptReply:
    return (await asyncio.gather(proceed(), proceed()))[0]


async def call_again_on_failure(call: Attempt, proceed: Proceed) -> AttemptReply:
    try:
        return await proceed()
    except PayamakError:
        return await proceed()


async def call_again_when_slow(call: Attempt, proceed: Proceed) -> AttemptReply:
    try:
        return await asyncio.wait_for(proceed(), 0.05)
    except TimeoutError:
        return await proceed()


async def give_up_when_slow(call: Attempt, proceed: Proceed) -> AttemptReply:
    return await asyncio.wait_for(proceed(), 0.05)


async def replace(call: Attempt, proceed: Proceed) -> AttemptReply:
    await proceed()
    return None  # type: ignore[return-value]


async def never_call(call: Attempt, proceed: Proceed) -> AttemptReply:
    return AttemptReply(200, 0)


async def observe(call: Attempt, proceed: Proceed) -> AttemptReply:
    return await proceed()


@pytest.mark.parametrize("kind", [list, tuple, iter])
async def test_hooks_come_in_any_iterable(kind: Callable[[list[Hook]], Any]) -> None:
    seen: list[Any] = []

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        seen.append(call.number)
        return await proceed()

    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=kind([hook])) as client:
        await send(client)
    assert seen == [1]


async def test_raising_before_proceed_sends_nothing() -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=[observe, fail_before]) as client:
        with pytest.raises(HookError):
            await send(client)
        assert server.connections == 0


async def test_what_is_raised_before_a_send_says_that_nothing_left() -> None:
    async with RawServer(accept()) as server, make_client(server.url, hooks=[fail_before]) as client:
        for _ in range(2):
            with pytest.raises(HookError) as caught:
                await send(client)
            assert has_nothing_left(caught.value)
        with pytest.raises(HookError) as caught:
            await ask(client)
        assert not has_nothing_left(caught.value), "what the read was for may have left before it"
        assert server.connections == 0


async def test_one_exception_is_told_of_once() -> None:
    error = HookError()

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        raise error

    async with make_client("http://127.0.0.1:9/", hooks=[hook]) as client:
        for _ in range(2):
            with pytest.raises(HookError):
                await send(client)
    assert len(error.__notes__) == 1


@pytest.mark.parametrize("ending", ["returns", "raises", "is cancelled"])
async def test_what_a_hook_has_put_into_a_task_and_not_begun_never_begins(ending: str) -> None:
    begun: list[asyncio.Future[AttemptReply]] = []

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        begun.append(asyncio.ensure_future(proceed()))
        if ending == "raises":
            raise HookError
        if ending == "is cancelled":
            raise asyncio.CancelledError
        return AttemptReply(200, 0)

    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=[hook]) as client:
        with pytest.raises((ClientStateError, HookError, asyncio.CancelledError)) as caught:
            await send(client)
        assert getattr(caught.value, "outcome", Outcome.NOT_SENT) is Outcome.NOT_SENT
        assert has_nothing_left(caught.value) is (ending == "raises")
        with pytest.raises(ClientStateError, match="nothing was sent"):
            await begun[0]
        assert server.connections == 0


async def test_what_a_hook_has_put_into_a_task_and_begun_is_unknown() -> None:
    begun: list[asyncio.Future[AttemptReply]] = []

    async def hook(call: Attempt, proceed: Proceed) -> AttemptReply:
        begun.append(asyncio.ensure_future(proceed()))
        await asyncio.sleep(0)
        return AttemptReply(200, 0)

    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=[hook]) as client:
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN
        await begun[0]
        assert len(server.requests) == 1


@pytest.mark.parametrize("hook", [fail_after, call_twice, replace])
@pytest.mark.parametrize("inner", [False, True])
async def test_after_a_success_the_result_is_not_lost(
    hook: object, inner: bool, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = [observe, hook] if inner else [hook, observe]
    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=hooks) as client:
        assert (await send(client)).message_id == 70001
        assert len(server.requests) == 1
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(failures) == (0 if hook is replace else 1)
    assert all("operation id" in record.getMessage() for record in failures)


@pytest.mark.parametrize("hook", [fail_on_failure, swallow, call_again_on_failure])
async def test_after_a_failure_the_real_error_is_raised(hook: object) -> None:
    async with RawServer(close_read) as server, make_client(server.url, hooks=[hook]) as client:
        error = await failure_of(send(client))
        assert type(error) is ConnectionLostError
        assert error.operation_id
        assert len(server.requests) == 1


@pytest.mark.parametrize("hook", [fail_on_failure, swallow, call_again_on_failure])
async def test_after_a_refusal_the_real_error_is_raised(hook: object) -> None:
    async with RawServer(UNAUTHORISED) as server, make_client(server.url, hooks=[hook]) as client:
        assert type(await failure_of(send(client))) is AuthenticationError
        assert len(server.requests) == 1


async def test_a_read_is_still_repeated_under_a_broken_hook() -> None:
    async with RawServer(close_read, accept()) as server, make_client(server.url, hooks=[fail_on_failure]) as client:
        assert await ask(client) == []
        assert len(server.requests) == 2


async def test_proceeding_twice_at_once_sends_once() -> None:
    slow = answer(envelope([70001]), after=0.02)
    async with RawServer(slow) as server, make_client(server.url, hooks=[call_twice_at_once]) as client:
        with contextlib.suppress(PayamakError):
            result = await send(client)
            assert result.message_id == 70001
        await asyncio.sleep(0.05)
        assert len(server.requests) == 1


async def test_proceeding_again_after_giving_up_sends_once_and_the_outcome_is_unknown() -> None:
    slow = answer(envelope([70001]), after=0.1)
    async with RawServer(slow) as server, make_client(server.url, hooks=[call_again_when_slow]) as client:
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN
        assert len(server.requests) == 1


async def test_giving_up_on_an_attempt_leaves_its_outcome_unknown() -> None:
    slow = answer(envelope([70001]), after=0.1)
    async with RawServer(slow) as server, make_client(server.url, hooks=[give_up_when_slow]) as client:
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN
        assert error.operation_id
        assert len(server.requests) == 1


async def test_not_proceeding_is_an_error_that_says_nothing_was_sent() -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url, hooks=[never_call]) as client:
        with pytest.raises(RuntimeError, match="nothing was sent"):
            await send(client)
        assert server.connections == 0


@pytest.mark.parametrize("hooks", [[1], ["hook"], [None, observe]])
def test_what_cannot_be_called_is_refused(hooks: object) -> None:
    with pytest.raises(InvalidArgumentError, match="hooks"):
        GhasedakClient(KEY, hooks=hooks)  # type: ignore[arg-type]


@pytest.mark.parametrize("hooks", [7, observe, None])
def test_what_is_no_list_of_hooks_is_refused(hooks: object) -> None:
    with pytest.raises(InvalidArgumentError, match="hooks"):
        GhasedakClient(KEY, hooks=hooks)  # type: ignore[arg-type]

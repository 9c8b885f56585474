"""Hooks around a whole call see all its attempts as one; they neither send twice nor lose a result."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import attrs
import pytest
from payamak.common import (
    Attempt,
    AttemptReply,
    AuthenticationError,
    CallHook,
    ClientCall,
    ClientStateError,
    ConnectionLostError,
    InvalidArgumentError,
    Outcome,
    OutgoingMessage,
    PayamakError,
    Proceed,
    ProceedCall,
)
from payamak.common.hooks import has_nothing_left
from payamak.ghasedak import GhasedakClient
from payamak.smsir import SmsIrClient
from support.ghasedak import KEY, ask, failure_of, make_client, send
from support.raw_server import RawServer, accept, answer, bytes_then_close, close_read, envelope, hang

UNAUTHORISED = answer(envelope(code=401, message="no"), 401)


class HookError(Exception):
    """What a broken hook raises."""


class Watch:
    """A hook that remembers what it saw."""

    def __init__(self) -> None:
        self.before: list[ClientCall] = []
        self.calls: list[ClientCall] = []
        self.errors: list[BaseException] = []

    async def __call__(self, call: ClientCall, proceed: ProceedCall) -> None:
        self.before.append(ClientCall(call.gateway, call.operation, call.operation_id))
        assert attrs.asdict(call) == attrs.asdict(self.before[-1]), "before the call, nothing is known"
        try:
            await proceed()
        except BaseException as error:
            self.errors.append(error)
            raise
        finally:
            self.calls.append(call)


async def test_one_call_of_three_attempts() -> None:
    watch, attempts = Watch(), list[Attempt]()

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        attempts.append(attempt)
        return await proceed()

    script = [close_read, answer(b"<html>", 502), accept({"status": 1})]
    async with (
        RawServer(*script) as server,
        make_client(server.url, hooks=[hook], call_hooks=[watch]) as client,
    ):
        await ask(client)

    (call,) = watch.calls
    assert (call.gateway, call.operation, call.attempts) == ("ghasedak", "statuses", 3)
    assert {attempt.operation_id for attempt in attempts} == {call.operation_id}
    assert (call.outcome, call.error_type, call.code) == (None, None, None)
    assert call.duration is not None
    assert call.duration >= sum(attempt.duration or 0 for attempt in attempts)


async def test_both_hooks_know_how_it_failed() -> None:
    watch, attempts = Watch(), list[Attempt]()

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        attempts.append(attempt)
        return await proceed()

    async with (
        RawServer(close_read, UNAUTHORISED) as server,
        make_client(server.url, hooks=[hook], call_hooks=[watch]) as client,
    ):
        error = await failure_of(ask(client))

    assert watch.errors == [error], "it sees the error that the caller gets"
    (call,) = watch.calls
    assert (call.error_type, call.outcome, call.code, call.attempts) == (
        "AuthenticationError", Outcome.REFUSED, 401, 2,
    )  # fmt: skip
    assert [(one.error_type, one.outcome, one.code, one.http_status) for one in attempts] == [
        ("ConnectionLostError", Outcome.UNKNOWN, None, None),
        ("AuthenticationError", Outcome.REFUSED, 401, 401),
    ]


async def test_a_call_that_is_cancelled() -> None:
    watch, attempts = Watch(), list[Attempt]()

    async def hook(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        attempts.append(attempt)
        return await proceed()

    async with RawServer(hang) as server, make_client(server.url, hooks=[hook], call_hooks=[watch]) as client:
        task = asyncio.create_task(send(client))
        await server.has_read.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    seen: list[ClientCall | Attempt] = [*watch.calls, *attempts]
    assert [(one.error_type, one.outcome) for one in seen] == [("CancelledError", Outcome.UNKNOWN)] * 2


async def test_the_token_is_within_the_call() -> None:
    watch = Watch()
    async with (
        RawServer(bytes_then_close(b"")) as server,
        SmsIrClient("key", "secret", base_url=server.url, call_hooks=[watch]) as client,
    ):
        error = await failure_of(client.messages.send("text", group_ids=[1]))
    assert error.outcome is Outcome.NOT_SENT
    by_operation = {call.operation: call for call in watch.calls}
    assert by_operation["messages.send"].outcome is Outcome.NOT_SENT
    assert by_operation["messages.send"].attempts == 0


async def test_each_request_of_send_many_is_a_call() -> None:
    watch = Watch()
    async with RawServer(accept(70001)) as server, make_client(server.url, call_hooks=[watch]) as client:
        message = OutgoingMessage("09121234567", "text", "10008566")
        reports = [report async for report in client.send_many([message])]
    assert [report.outcome for report in reports] == [Outcome.SENT]
    assert len(watch.calls) == len(server.requests)


async def test_the_first_hook_is_outermost_and_all_are_around_the_attempts() -> None:
    steps: list[str] = []

    def make(name: str) -> CallHook:
        async def hook(call: ClientCall, proceed: ProceedCall) -> None:
            steps.append(f"{name} in")
            await proceed()
            steps.append(f"{name} out")

        return hook

    async def inner(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        steps.append("attempt")
        return await proceed()

    options = {"call_hooks": [make("a"), make("b")], "hooks": [inner]}
    async with RawServer(accept(70001)) as server, make_client(server.url, **options) as client:
        await send(client)
    assert steps == ["a in", "b in", "attempt", "b out", "a out"]


# --- Hooks that do what they should not


async def observe(call: ClientCall, proceed: ProceedCall) -> None:
    await proceed()


async def fail_before(call: ClientCall, proceed: ProceedCall) -> None:
    raise HookError("before")


async def fail_after(call: ClientCall, proceed: ProceedCall) -> None:
    await proceed()
    raise HookError("after")


async def fail_on_failure(call: ClientCall, proceed: ProceedCall) -> None:
    try:
        await proceed()
    except PayamakError:
        raise HookError("on failure") from None


async def swallow(call: ClientCall, proceed: ProceedCall) -> None:
    with contextlib.suppress(PayamakError):
        await proceed()


async def call_twice(call: ClientCall, proceed: ProceedCall) -> None:
    with contextlib.suppress(PayamakError):
        await proceed()
    await proceed()


async def never_call(call: ClientCall, proceed: ProceedCall) -> None:
    pass


@pytest.mark.parametrize("hook", [fail_after, call_twice])
async def test_after_a_success_the_result_is_not_lost(hook: CallHook, caplog: pytest.LogCaptureFixture) -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url, call_hooks=[observe, hook]) as client:
        assert (await send(client)).message_id == 70001
        assert len(server.requests) == 1
    (failure,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "a hook failed with" in failure.getMessage()


@pytest.mark.parametrize("hook", [fail_on_failure, swallow, call_twice])
@pytest.mark.parametrize(
    ("behaviour", "kind"), [(close_read, ConnectionLostError), (UNAUTHORISED, AuthenticationError)]
)
async def test_after_a_failure_the_real_error_is_raised(hook: CallHook, behaviour: Any, kind: type) -> None:
    async with RawServer(behaviour) as server, make_client(server.url, call_hooks=[hook]) as client:
        error = await failure_of(send(client))
        assert type(error) is kind
        assert error.operation_id
        assert len(server.requests) == 1


@pytest.mark.parametrize("client_of", ["ghasedak", "smsir"])
async def test_raising_before_proceed_sends_nothing(client_of: str) -> None:
    async with RawServer(accept(70001)) as server:
        options: dict[str, Any] = {"base_url": server.url, "call_hooks": [observe, fail_before]}
        client: Any = SmsIrClient("a", "b", **options) if client_of == "smsir" else GhasedakClient(KEY, **options)
        async with client:
            with pytest.raises(HookError) as caught:
                await (client.messages.send("a", group_ids=[1]) if client_of == "smsir" else send(client))
        assert has_nothing_left(caught.value)
        assert server.connections == 0


async def test_what_an_attempts_hook_raises_passes_through() -> None:
    async def fail(attempt: Attempt, proceed: Proceed) -> AttemptReply:
        raise HookError("before the attempt")

    async with (
        RawServer(accept(70001)) as server,
        make_client(server.url, hooks=[fail], call_hooks=[observe]) as client,
    ):
        with pytest.raises(HookError) as caught:
            await send(client)
        assert has_nothing_left(caught.value)
        assert server.connections == 0


async def test_not_proceeding_is_an_error_that_says_nothing_was_sent() -> None:
    async with RawServer(accept(70001)) as server, make_client(server.url, call_hooks=[never_call]) as client:
        error = await failure_of(send(client))
        assert type(error) is ClientStateError
        assert error.outcome is Outcome.NOT_SENT
        assert (error.operation, "nothing was sent" in str(error)) == ("send", True)
        assert server.connections == 0


async def test_giving_up_on_a_call_leaves_its_outcome_unknown_and_it_can_be_asked_for() -> None:
    async def give_up(call: ClientCall, proceed: ProceedCall) -> None:
        await asyncio.wait_for(proceed(), 0.05)

    async with RawServer(hang) as server, make_client(server.url, call_hooks=[give_up]) as client:
        error = await failure_of(send(client))
        assert error.outcome is Outcome.UNKNOWN
        assert len(error.references) == 1
        assert error.at is not None


async def test_what_is_put_into_a_task_and_not_begun_never_begins() -> None:
    begun: list[asyncio.Future[None]] = []

    async def hook(call: ClientCall, proceed: ProceedCall) -> None:
        begun.append(asyncio.ensure_future(proceed()))

    async with RawServer(accept(70001)) as server, make_client(server.url, call_hooks=[hook]) as client:
        assert (await failure_of(send(client))).outcome is Outcome.NOT_SENT
        with pytest.raises(ClientStateError, match="nothing was sent"):
            await begun[0]
        assert server.connections == 0


async def test_no_hook_runs_for_bad_arguments() -> None:
    async with make_client("http://127.0.0.1:9/", call_hooks=[fail_before]) as client:
        assert isinstance(await failure_of(client.send("", "text")), InvalidArgumentError)


@pytest.mark.parametrize("hooks", [[1], ["hook"], 7, observe, None])
def test_what_is_no_list_of_hooks_is_refused(hooks: object) -> None:
    with pytest.raises(InvalidArgumentError, match="call_hooks"):
        GhasedakClient(KEY, call_hooks=hooks)  # type: ignore[arg-type]

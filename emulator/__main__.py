"""`python -m payamak.emulator`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import sys

from .about import command_help, remote_line, start_lines
from .server import DEFAULT_HOST, DEFAULT_MAX_MESSAGES, Emulator

_DEFAULT_PORT = 8650
_MAX_PORT = 65535
_USAGE_ERROR = 2


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= port <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; 0 takes a free one")
    return port


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of messages; 0 keeps all")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    default_url = f"http://{DEFAULT_HOST}:{_DEFAULT_PORT}"
    parser = argparse.ArgumentParser(
        prog="python -m payamak.emulator",
        description="A local stand-in for Iranian SMS gateways. No message leaves this machine.",
        epilog=command_help(default_url, Emulator().gateways.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=_DEFAULT_PORT, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="let other machines in that reach this one by this name or address; may be given several times",
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let other machines in whatever name they use; prefer --allowed-host",
    )
    parser.add_argument(
        "--max-messages",
        type=_count,
        default=DEFAULT_MAX_MESSAGES,
        metavar="N",
        help="how many messages are kept, the newest ones; 0 keeps all (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the dice for faults with a probability (default: 0)")
    return parser


async def serve(emulator: Emulator) -> None:
    """Serve until SIGINT or SIGTERM, and say on standard output where."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before the ready line: whoever reads it may send the signal at once.
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    async with emulator:
        sys.stdout.write(f"{start_lines(emulator.url, emulator.gateways.values())}\n")
        if emulator.allows_remote:
            sys.stdout.write(f"{remote_line(emulator.allowed_hosts)}\n")
        sys.stdout.write(f"payamak emulator ready on {emulator.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        emulator = Emulator(
            arguments.host,
            arguments.port,
            allow_remote=arguments.allow_remote,
            allowed_hosts=arguments.allowed_host,
            seed=arguments.seed,
            max_messages=arguments.max_messages or None,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        asyncio.run(serve(emulator))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "the port is already in use" if taken else error.strerror or str(error)
        sys.stderr.write(f"cannot listen on {arguments.host}:{arguments.port}: {reason}\n")
        return _USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())

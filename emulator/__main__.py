"""`python -m payamak.emulator`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import sys

from .about import REMOTE_LINE, command_help, start_lines
from .server import DEFAULT_HOST, Emulator

_DEFAULT_PORT = 8650
_MAX_PORT = 65535
_USAGE_ERROR = 2


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= port <= _MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; 0 takes a free one")
    return port


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
    parser.add_argument("--allow-remote", action="store_true", help="permit a host that other machines can reach")
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
            sys.stdout.write(f"{REMOTE_LINE}\n")
        sys.stdout.write(f"payamak emulator ready on {emulator.url}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        emulator = Emulator(arguments.host, arguments.port, allow_remote=arguments.allow_remote, seed=arguments.seed)
    except ValueError:
        parser.error(f"{arguments.host} is not a loopback address; use --allow-remote to let other machines in")
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

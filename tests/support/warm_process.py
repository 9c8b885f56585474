"""A Python that has imported what others need, and runs each of them in a fork of itself.

`support.warm` starts it, and `warm_stub.py` asks it. Each fork does what ``python`` does with its command line: it ends
as any interpreter ends, so that what has been left open warns.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import sys
import threading
import types
from typing import Any

del sys.path[0]  # The folder of this file, where an example would find the helpers of the tests.

Asked = dict[str, Any]


def take_next(place: str) -> Asked:
    """Fork for each that asks. This returns in the forks alone."""
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(os.path.dirname(place))  # The path of a socket must be short.
        listener.bind(os.path.basename(place))
        listener.listen()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if not os.fork():
                    listener.close()
                    return take(connection)
    os._exit(0)


def take(connection: socket.socket) -> Asked:
    """Fork once more, for what is asked for, and tell what becomes of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile(encoding="utf-8") as lines:
        asked: Asked = json.loads(lines.readline())
    process = os.fork()
    if not process:
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        return asked
    for file in (0, 1, 2, *files):
        os.close(file)
    threading.Thread(target=end_with, args=(connection, process), daemon=True).start()
    tell(connection, process)
    tell(connection, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    os._exit(0)


def tell(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # Nobody is there any more.
        connection.sendall(f"{number}\n".encode())


def end_with(connection: socket.socket, process: int) -> None:
    """Kill this process if that at the other end was killed."""
    with contextlib.suppress(OSError):
        connection.recv(1)
    os.kill(process, signal.SIGKILL)


def run(asked: Asked) -> None:
    """Run what stands on the command line, in the folder and with the environment that were asked for."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    # `open` knows a terminal, at which it buffers lines.
    streams = {
        "stdin": open(0, encoding="utf-8", closefd=False),  # noqa: SIM115
        "stdout": open(1, "w", encoding="utf-8", closefd=False),  # noqa: SIM115
        "stderr": open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False),  # noqa: SIM115
    }
    for name, stream in streams.items():
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    what, *arguments = asked["arguments"]
    if what == "-m":
        sys.path.insert(0, asked["folder"])
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        return
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    if what == "-c":
        sys.path.insert(0, "")
        code, *arguments = arguments
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(what)))
        module.__file__ = what
        with open(what, encoding="utf-8") as file:
            code = compile(file.read(), what, "exec")
    sys.argv = [what, *arguments]
    exec(code, vars(module))  # noqa: S102


for name in sys.argv[2:]:
    importlib.import_module(name)
# On a busy machine the development mode tells how long a step took.
logging.getLogger("asyncio").addFilter(lambda record: "took" not in str(record.msg))
# What a fork does not look at, it needs no copy of.
gc.collect()
gc.freeze()
run(take_next(sys.argv[1]))

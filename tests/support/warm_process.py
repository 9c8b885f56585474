"""A Python that has imported what examples need, and runs each of them in a fork of itself.

`support.warm` starts it. Each line that it reads asks for one run; it answers with the process id and, when the process
has ended, with its exit code. The fork leaves this loop and does what ``python -c`` does: it ends as any interpreter
ends, so that what the example has left open warns.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import types
from typing import Any

del sys.path[0]  # The folder of this file, where an example would find the helpers of the tests.


def take_next() -> dict[str, Any]:
    """Fork for each request. This returns in the forks alone."""
    for line in sys.stdin:
        process = os.fork()
        if not process:
            found: dict[str, Any] = json.loads(line)
            return found
        tell(process)
        tell(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    sys.exit()


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def become(request: dict[str, Any]) -> dict[str, Any]:
    """Take the place, the environment and the files that were asked for, and an empty module to run in."""
    for number, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (request["output"], os.O_WRONLY), (request["errors"], os.O_WRONLY)]
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path.insert(0, "")
    sys.argv = request["arguments"]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    return vars(module)


for name in sys.argv[1:]:
    importlib.import_module(name)
# On a busy machine the development mode tells how long a step took.
logging.getLogger("asyncio").addFilter(lambda record: "took" not in str(record.msg))
asked = take_next()
exec(asked["code"], become(asked))  # noqa: S102

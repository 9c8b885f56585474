"""Stands for a fork of the warm Python: gives it its files, hands signals on to it, and ends as it ends."""

import json
import os
import signal
import socket
import sys
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def hand_on(process: int) -> None:
    while True:
        os.kill(process, signal.sigwait(SIGNALS))


# They wait until there is somebody to hand them on to.
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
place, *arguments = sys.argv[1:]
asked = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
with socket.socket(socket.AF_UNIX) as connection:
    os.chdir(os.path.dirname(place))
    connection.connect(os.path.basename(place))
    socket.send_fds(connection, [b"\n"], [0, 1, 2])
    connection.sendall(json.dumps(asked).encode() + b"\n")
    # The other end of a pipe is to see when the fork closes its own.
    for file in (0, 1, 2):
        os.close(file)
    with connection.makefile() as numbers:
        threading.Thread(target=hand_on, args=[int(numbers.readline())], daemon=True).start()
        code = int(numbers.readline())
if code < 0:
    if -code in SIGNALS:
        signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    signal.raise_signal(-code)
os._exit(code)

"""Connections on which it is known whether anything of a request has left."""

from __future__ import annotations

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace


class BeforeSendingError(Exception):
    """Carries an error that came before a byte of the request was written."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Connector(aiohttp.TCPConnector):
    """Tells what fails before anything of the request has left, and takes no connection with bytes nobody asked for."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Find or make a connection."""
        while True:
            try:
                connection = await super().connect(req, traces, timeout)
            except TimeoutError:
                raise  # aiohttp itself makes of it what can be told apart.
            except Exception as error:
                raise BeforeSendingError(error) from None
            if connection.protocol is not None and not connection.protocol.should_close:
                return connection
            # Something came in on it while it was idle: that would be taken for the answer to this request.
            connection.close()


class ConnectionBrokeError(Exception):
    """Carries an error past aiohttp, which would take the bare error as an order to send again."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def keep_from_resending(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A client middleware: aiohttp sends GET, PUT and DELETE a second time, silently, when the connection drops."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionBrokeError(error) from None

"""Single messages from many callers, in shared requests. `GatewayClient.outbox` makes one."""

from .many.outbox import Outbox

__all__ = ["Outbox"]

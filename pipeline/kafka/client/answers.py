"""How long a client of aiokafka waits for one answer of a broker.

aiokafka has one time for a request and for all that a caller asks, with its repetitions. A broker
that is stopped or cut off takes connections and never answers. So a request is given up early here,
and what was asked for goes on: to the broker that leads by then (deploy/decisions/0167).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.conn import CloseReason
from aiokafka.errors import NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.group import HeartbeatRequest

if TYPE_CHECKING:
    from aiokafka.client import AIOKafkaClient, ConnectionGroup

BROKER_ANSWER_MS: Final = 5_000
HELD_SECONDS: Final = 40.0


def bound_answers(client: AIOKafkaClient) -> None:
    """Give up each request, and each attempt to connect, after `BROKER_ANSWER_MS`."""
    client._request_timeout_ms = BROKER_ANSWER_MS  # noqa: SLF001 - there is no other way in


def is_heartbeat(request: Any) -> bool:
    """Whether the broker answers it at once, of all requests of a member to its group.

    It holds the others while the group is shared out anew, each until those before it are answered.
    """
    return bool(request.API_KEY == HeartbeatRequest.API_KEY)


async def send_and_hold(
    client: AIOKafkaClient, node: int, request: Any, group: ConnectionGroup
) -> Any:
    """As aiokafka's `send`, for a request that the broker may hold for `HELD_SECONDS`."""
    if not await client.ready(node, group=group):
        raise NodeNotReadyError(f"node {node} is not ready")
    connection = client._conns[node, group]  # noqa: SLF001 - as aiokafka's `send`
    usual = connection._request_timeout  # noqa: SLF001 - it is read when the request is sent
    connection._request_timeout = HELD_SECONDS  # noqa: SLF001 - as above
    try:
        answering = connection.send(request)
    finally:
        connection._request_timeout = usual  # noqa: SLF001 - as above
    try:
        return await answering
    except TimeoutError as error:
        connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
        raise RequestTimedOutError from error

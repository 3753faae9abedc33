"""Hears what comes to an exchange of an AMQP 0-9-1 broker. aio-pika alone is used for it, and loaded when that begins.

The exchange must be there; all that is made is a queue, which ends with the connection: what is sent while there is none is lost.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bridge.errors import Denied, NotFound, SourceError, TimedOut, Unauthenticated, Unreachable
from bridge.transport.settings import AmqpServerSettings

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, AbstractQueue

CONNECT_S = 10.0
CLOSE_S = 3.0
HEARTBEAT_S = 30  # a dead connection is found after twice that
SILENCE_S = 60.0
AT_ONCE = 100  # messages that are on the way to us
MOST_KEPT = 10_000  # messages that the broker keeps for us when we are slow; the oldest go first


@dataclass(frozen=True)
class Delivery:
    """One message, acknowledged already: whatever comes of it, it does not come again."""

    routing_key: str
    content_type: str | None
    body: bytes


def is_installed() -> bool:
    """Tell whether the library is there: it comes with the extra `amqp`."""
    return find_spec("aio_pika") is not None


@asynccontextmanager
async def hearing(
    settings: AmqpServerSettings, exchange: str, routing_keys: Sequence[str], *, silence_s: float = SILENCE_S
) -> AsyncIterator[AsyncGenerator[Delivery, None]]:
    """Yield what comes to `exchange` under `routing_keys` from now on; it ends with the connection. Raises SourceError.

    After `silence_s` without a message it is made sure that the queue still hangs on the exchange.
    """
    import aio_pika
    from aiormq.exceptions import AMQPError, ChannelInvalidStateError
    from pamqp.exceptions import PAMQPException

    for library in ("aio_pika", "aiormq"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)  # what they say is said by what they raise
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_S):
                connection = await aio_pika.connect(
                    host=settings.host,
                    port=int(settings.address.rpartition(":")[2]),
                    login=settings.username,
                    password=settings.password.get_secret_value(),
                    virtualhost=settings.virtual_host,
                    ssl=settings.is_encrypted,
                    ssl_context=_context(settings) if settings.is_encrypted else None,
                    client_properties={"connection_name": "kwh2mqtt"},
                    heartbeat=HEARTBEAT_S,
                )
                stack.push_async_callback(_close, connection)
                queue = await _declared(connection, exchange)
                bind = partial(_bind, queue, exchange, routing_keys)
                await bind()
            yield await stack.enter_async_context(aclosing(_deliveries(queue, bind, silence_s)))
    except (AMQPError, PAMQPException, ChannelInvalidStateError, OSError, TimeoutError) as error:
        raise _translated(error, settings, exchange) from error


async def _declared(connection: "AbstractConnection", exchange: str) -> "AbstractQueue":
    channel = await connection.channel(publisher_confirms=False)
    await channel.set_qos(prefetch_count=AT_ONCE)
    await channel.get_exchange(exchange)  # asks whether it is there, and makes none
    name = f"{exchange}-kwh2mqtt-{random.randrange(2**32):08x}"
    limits: dict[str, Any] = {"x-max-length": MOST_KEPT, "x-overflow": "drop-head"}
    return await channel.declare_queue(name, exclusive=True, auto_delete=True, arguments=limits)


async def _bind(queue: "AbstractQueue", exchange: str, routing_keys: Sequence[str]) -> None:
    for key in routing_keys:
        await queue.bind(exchange, key)


async def _deliveries(
    queue: "AbstractQueue", bind: Callable[[], Awaitable[None]], silence_s: float
) -> AsyncGenerator[Delivery, None]:
    arrived: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()  # bounded by what is not acknowledged
    queue.channel.close_callbacks.add(lambda *_: arrived.put_nowait(None))
    await queue.consume(arrived.put)
    while True:
        try:
            async with asyncio.timeout(silence_s):
                message = await arrived.get()
        except TimeoutError:
            async with asyncio.timeout(CONNECT_S):
                await bind()  # an exchange that was made anew has lost its bindings
            continue
        if message is None:
            raise Unreachable("the connection to the AMQP broker was lost")
        await message.ack()
        yield Delivery(message.routing_key or "", message.content_type, message.body)


async def _close(connection: "AbstractConnection") -> None:
    with suppress(Exception):  # it is gone either way
        async with asyncio.timeout(CLOSE_S):
            await connection.close()


def _context(settings: AmqpServerSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)


def _translated(error: Exception, settings: AmqpServerSettings, exchange: str) -> SourceError:
    """Return what a user can do about it. A library's own words are left out: they may hold the password."""
    from aiormq import exceptions as amqp
    from pamqp.exceptions import AMQPInternalError

    said: tuple[type[SourceError], str]
    match error:
        case amqp.AuthenticationError() | amqp.ProbableAuthenticationError():
            said = Unauthenticated, "refuses the login; check username and password in the section amqp"
        case amqp.ConnectionNotAllowed() | AMQPInternalError():  # which of them is a matter of the moment
            said = Denied, f"does not open the virtual host {settings.virtual_host} to {settings.username}"
        case amqp.ChannelNotFoundEntity():
            said = NotFound, f"has no exchange {exchange}; check data_flow and prefix, and that something is sent there"
        case amqp.ChannelAccessRefused():
            said = Denied, f"does not let {settings.username} hear {exchange} through a queue of its own"
        case TimeoutError():
            said = TimedOut, f"did not answer in {CONNECT_S:.0f} s"
        case _:
            said = Unreachable, f"cannot be reached: {_reason(error)}"
    kind, text = said
    return kind(f"the AMQP broker at {settings.address} {text}")


def _reason(error: Exception) -> str:
    causes = [cause for cause in (error, error.__cause__, error.__context__) if isinstance(cause, OSError)]
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"{cause.reason or 'TLS failed'}; check tls and ca_file in the section amqp"
    said = next((cause.strerror for cause in causes if cause.strerror), None)
    return f"{said}; check host and port in the section amqp" if said else "the connection was lost"

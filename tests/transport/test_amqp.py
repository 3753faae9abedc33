"""The AMQP wire on a real RabbitMQ: what comes is heard once, and each way of failing says what to mend."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractExchange
from pydantic import SecretStr, ValidationError

from bridge.errors import Denied, NotFound, SourceError, Unauthenticated, Unreachable
from bridge.simulator.broker import HOST
from bridge.transport.amqp import Delivery, hearing
from bridge.transport.settings import AmqpServerSettings
from tests.transport.rabbit import Rabbit, is_installed, rabbit

EXCHANGE = "octo::com::dataflow-acme-1"
LOGIN = {"username": "edge", "password": "sesame-open"}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"host": "rabbit.example.com"}, "amqps://rabbit.example.com:5671"),
        ({"host": "localhost"}, "amqp://localhost:5672"),
        ({"host": "::1"}, "amqp://::1:5672"),
        ({"host": "127.0.0.1", "tls": True}, "amqps://127.0.0.1:5671"),
        ({"host": "rabbit", "tls": False}, "amqp://rabbit:5672"),
        ({"host": "rabbit", "port": 5673}, "amqps://rabbit:5673"),
    ],
)
def test_a_line_is_encrypted_unless_it_stays_here_or_is_told_not_to_be(given: dict[str, Any], where: str) -> None:
    settings = AmqpServerSettings.model_validate(LOGIN | given)
    assert f"amqp{'s' * settings.is_encrypted}://{settings.address}" == where


@pytest.mark.parametrize("wrong", [{"host": ""}, {"port": 0}, {"ca_file": "/nowhere"}, {"url": "amqp://x"}, {"password": 1}])
def test_what_cannot_be_is_refused_without_the_password(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        AmqpServerSettings.model_validate({"host": "rabbit", **LOGIN} | wrong)
    assert "sesame-open" not in str(caught.value)


# on a real one


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Rabbit]:
    if not is_installed():
        pytest.skip("RabbitMQ is not installed")
    async with rabbit(tmp_path) as broker:
        yield broker


def reached(broker: Rabbit, **changed: object) -> AmqpServerSettings:
    own = {"host": HOST, "port": broker.port, "username": broker.username, "password": SecretStr(broker.password)}
    return AmqpServerSettings.model_validate(own | changed)


async def refusal(settings: AmqpServerSettings) -> SourceError:
    with pytest.raises(SourceError) as caught:
        async with hearing(settings, EXCHANGE, ["p1"]):
            pass
    return caught.value


async def made(channel: AbstractChannel) -> AbstractExchange:
    return await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)


async def listened_through_changes(settings: AmqpServerSettings, channel: AbstractChannel) -> None:
    """Hear what is bound, then an exchange that was made anew, then one that is gone."""
    exchange = await made(channel)
    async with hearing(settings, EXCHANGE, ["p1", "p2"], silence_s=0.3) as deliveries:
        for key in ("p1", "p3", "p2"):
            await exchange.publish(aio_pika.Message(key.encode(), content_type="a/b"), key)
        heard = [await anext(deliveries), await anext(deliveries)]
        assert heard == [Delivery("p1", "a/b", b"p1"), Delivery("p2", "a/b", b"p2")]

        await channel.exchange_delete(EXCHANGE)
        exchange = await made(channel)
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0.6)  # the silence
        await exchange.publish(aio_pika.Message(b"again"), "p1")
        assert await waiting == Delivery("p1", None, b"again")

        await channel.exchange_delete(EXCHANGE)
        await anext(deliveries)


async def listened_until_killed(settings: AmqpServerSettings, broker: Rabbit) -> None:
    async with hearing(settings, EXCHANGE, ["p1"]) as deliveries:
        waiting = asyncio.ensure_future(anext(deliveries))
        await asyncio.sleep(0.1)
        broker.process.kill()
        await waiting


@pytest.mark.slow
async def test_the_wire_from_end_to_end(running: Rabbit, caplog: pytest.LogCaptureFixture) -> None:
    """One broker for all of it: it takes four seconds to start."""
    caplog.set_level(logging.DEBUG)
    settings, where = reached(running), f"the AMQP broker at {HOST}:{running.port}"
    found = [
        await refusal(settings),
        await refusal(reached(running, password="another")),
        await refusal(reached(running, virtual_host="nowhere")),
        await refusal(reached(running, tls=True)),
        await refusal(reached(running, tls=True, port=running.tls_port)),
        await refusal(reached(running, tls=True, port=running.tls_port, ca_file=running.authority)),
        await refusal(reached(running, port=1)),
    ]
    assert [(type(error), str(error).partition(";")[0]) for error in found] == [
        (NotFound, f"{where} has no exchange {EXCHANGE}"),
        (Unauthenticated, f"{where} refuses the login"),
        (Denied, f"{where} does not open the virtual host nowhere to edge"),
        (Unreachable, f"{where} cannot be reached: WRONG_VERSION_NUMBER"),
        (Unreachable, f"the AMQP broker at {HOST}:{running.tls_port} cannot be reached: CERTIFICATE_VERIFY_FAILED"),
        (NotFound, f"the AMQP broker at {HOST}:{running.tls_port} has no exchange {EXCHANGE}"),
        (Unreachable, f"the AMQP broker at {HOST}:1 cannot be reached: Connect call failed ('{HOST}', 1)"),
    ]
    url = f"amqp://{running.username}:{running.password}@{HOST}:{running.port}/"
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await made(channel)
        with pytest.raises(NotFound):
            await listened_through_changes(settings, channel)
        await made(channel)
    with pytest.raises(Unreachable, match="the connection to the AMQP broker was lost"):
        await listened_until_killed(settings, running)
    assert running.password not in caplog.text
    assert [record for record in caplog.records if record.name.startswith(("aio_pika", "aiormq"))] == []

"""The floor of a command: `python -m bench.echo PORT` answers each message on `echo/#` with its payload, by aiomqtt alone."""

import asyncio
import socket
import sys

import aiomqtt

from bridge.simulator.broker import HOST


async def echo(port: int) -> None:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client(HOST, port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=options) as client:
        await client.subscribe("echo/#", qos=2)
        print("ready", flush=True)
        async for message in client.messages:
            await client.publish(f"back/{message.topic}", message.payload, qos=message.qos)


if __name__ == "__main__":
    asyncio.run(echo(int(sys.argv[1])))

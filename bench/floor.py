"""The floor that memory is measured against: the libraries, one connection to a broker, one idle HTTP client, and no bridge.

`python -P bench/floor.py HOST PORT`; it says `ready` and stays until it is told to end.
"""

import asyncio
import sys

import aiomqtt
import httpx2
import pydantic_settings
import tenacity

USED = (aiomqtt, httpx2, pydantic_settings, tenacity)


async def idle(host: str, port: int) -> None:
    async with aiomqtt.Client(host, port), httpx2.AsyncClient():
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(idle(sys.argv[1], int(sys.argv[2])))

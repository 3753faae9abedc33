"""Serves every simulated provider in a process of its own, so that the one that is measured holds none of it.

`python -m bench.stage`; it says the sources' sections as one line of JSON and stays until it is told to end.
"""

import asyncio
import json
from datetime import UTC, datetime

from bridge.simulator.stage import served


async def serve() -> None:
    async with served(lambda: datetime.now(UTC)) as tables:
        print(json.dumps(tables), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())

"""Messages a second of the shelf and the broker's wire, against bare aiomqtt on the same connection, in turns."""

import sys
from pathlib import Path
from statistics import median

from bench.programs import running, said
from bench.table import Row, at_least
from bridge.simulator.broker import broker

ROUNDS = 4
COUNT = 20_000
TARGET = 0.7


async def measured(folder: Path) -> list[Row]:
    pairs = []
    for number in range(ROUNDS):
        rates = {kind: await _rate(kind, folder) for kind in (("bridge", "bare") if number % 2 else ("bare", "bridge"))}
        pairs.append((rates["bridge"], rates["bare"]))
    ours, bare = zip(*pairs, strict=True)
    text = f"{median(ours):,.0f} a second against {median(bare):,.0f}"
    return [at_least("messages", text, median(one / other for one, other in pairs), TARGET)]


async def _rate(kind: str, folder: Path) -> float:
    async with broker(folder) as mqtt:
        command = (sys.executable, "-m", "bench.publisher", kind, str(mqtt.port), str(COUNT))
        async with running(*command, log=folder / "publisher.log") as process:
            return float(await said(process))

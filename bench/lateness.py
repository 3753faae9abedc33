"""How late a new slot's `value` and `current` are at a subscriber, by the wall clock.

The bridge, the broker and the subscriber are processes of their own.
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from bench.programs import running, said
from bench.table import Row
from bridge.simulator.broker import broker

AFTER_S = 3.0  # so late a message may still come and be counted
FIGURES = 2


@dataclass(frozen=True)
class Lateness:
    """What became of the messages of some boundaries; lateness in seconds, in order."""

    late: Sequence[float]
    early: int
    missing: int

    def quantile(self, share: float) -> float:
        return self.late[min(len(self.late) - 1, int(share * len(self.late)))]


async def measured(folder: Path) -> list[Row]:
    few = await _lateness(folder, sites=10, step_s=2.0, boundaries=30)
    many = await _lateness(folder, sites=1000, step_s=10.0, boundaries=4)
    ten = Row("a new slot, 10 sites", _shown(few), f"99 %: {few.quantile(0.99) * 1000:.1f} ms", "99 % ≤ 50 ms",
              few.quantile(0.99) <= 0.05 and not few.early and not few.missing)  # fmt: skip
    thousand = Row("a new slot, 1,000 sites", _shown(many), f"all: {many.late[-1]:.2f} s", "all ≤ 2 s",
                   many.late[-1] <= 2 and not many.early and not many.missing)  # fmt: skip
    return [ten, thousand]


def _shown(found: Lateness) -> str:
    half, most, last = (found.quantile(share) * 1000 for share in (0.5, 0.99, 1))
    lost = f", {found.missing} missing" if found.missing else ""
    return f"50 % {half:.1f} ms, 99 % {most:.1f}, last {last:.1f}; {found.early} early{lost}, of {len(found.late)}"


async def _lateness(folder: Path, *, sites: int, step_s: float, boundaries: int) -> Lateness:
    log = folder / "lateness.log"
    async with (
        broker(folder) as mqtt,
        running(sys.executable, "-m", "bench.listener", str(mqtt.port), log=log) as listener,
    ):
        await said(listener)
        fleet = (sys.executable, "-m", "bench.fleet", str(mqtt.port), str(sites), str(step_s), str(folder / f"{sites}-sites"))
        async with running(*fleet, log=log) as process:
            origin, first = (await said(process)).split()
            last = int(first) + boundaries - 1
            await asyncio.sleep(float(origin) + last * step_s + AFTER_S - time())
            output, _ = await listener.communicate(b"")  # an input that ends; None would leave it open
    return _judged(output.decode(), float(origin), step_s, range(int(first), last + 1), sites)


def _judged(output: str, origin: float, step_s: float, wanted: range, sites: int) -> Lateness:
    early, late = 0, dict[tuple[str, int], float]()
    for line in output.splitlines():
        arrived, topic, price = line.split()
        number = int(float(price))
        lateness = float(arrived) - (origin + number * step_s)
        early += lateness < 0
        if number in wanted:
            late.setdefault((topic, number), lateness)
    return Lateness(sorted(late.values()), early, FIGURES * sites * len(wanted) - len(late))

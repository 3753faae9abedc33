"""A year of commands leaves nothing behind but what is meant to stay: limits of so many clients, and the state file."""

import gc
import itertools
import json
import logging
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import Refused, Unreachable
from bridge.models.message import Arrival
from tests.commands.office import Asked, Office, query, write
from tests.support import settle

ODD = (b"", b"{", b"[]", b"\xff", b'{"id": "7"}', b'{"x": 1}', b'{"expires_at": "2020-01-01T00:00:00Z"}', b"x" * 70_000)
BATCH = 50


def arrivals() -> Iterator[Arrival]:
    """Yield commands without end: good ones, odd ones, of many clients."""
    for number in itertools.count():
        client = f"client-{number % 12_000}" if number % 2 else ("wallbox", "button")[number // 2 % 2]
        operation = ("ask", "switch", "known", "none")[number // 4 % 4]
        body: dict[str, Any] = {"id": str(number % 5000), "args": {}}
        payload = ODD[number // 3 % len(ODD)] if number % 3 == 0 else json.dumps(body).encode()
        response = (None, f"kwh2mqtt/response/{client}/x", "kwh2mqtt/response/other/x")[number % 3]
        yield Arrival(f"kwh2mqtt/command/{client}/home/{operation}", payload, number % 3, number % 17 == 0, response, b"c")


@pytest.mark.parametrize("count", [10_000, pytest.param(200_000, marks=pytest.mark.slow)])
async def test_memory_is_flat(tmp_path: Path, count: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    asked = Asked({"n": 1}, Refused("no"), Unreachable("no"), ZeroDivisionError(), *[{"n": 1}] * 50, Refused("no"))
    office = Office(tmp_path, query(asked), write(asked), query(asked, "known", remote=False))
    ahead = arrivals()

    async def take(many: int) -> None:
        for _ in range(many // BATCH):
            office.clock.set(office.clock.now() + timedelta(seconds=7))
            for arrival in itertools.islice(ahead, BATCH):
                office.desk.arrived(arrival)
            await settle(50)
            assert office.desk._tasks == set()
            office.published.clear()
            asked.asked.clear()

    await take(30_000)  # until as many clients and retained commands are remembered as ever are
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    await take(count)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(gc.get_objects()) - objects < 500
    assert after - before < 2**20

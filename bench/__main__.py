"""Runs the benchmarks, prints their table, and after a whole run keeps it in RESULTS.md."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

from bench import cheapest, commands, days, lateness, memory, prices, start, throughput
from bench.table import Row, circumstances, drawn
from bridge.faults import PREFIX
from bridge.simulator.broker import programs

LOG_TAIL = 2000  # characters of a log that tell why a bench failed
RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHES: Mapping[str, Callable[[Path], Awaitable[list[Row]]]] = {
    "memory": memory.measured,
    "start": start.measured,
    "lateness": lateness.measured,
    "throughput": throughput.measured,
    "commands": commands.measured,
    "prices": prices.measured,
    "requests": days.measured,
    "cheapest": cheapest.measured,
}
HEAD = """\
# What was measured

`make bench` writes this file. A ratio is the median of pairs that were measured in turns; the floor is a process with the
same interpreter and libraries and none of our code. These numbers come from one noisy machine: compare ratios, not times.

"""


async def measured(names: Sequence[str]) -> list[Row]:
    """Run the benchmarks called `names`, one after the other."""
    rows: list[Row] = []
    for name in names:
        sys.stderr.write(f"measuring {name} … ")
        sys.stderr.flush()
        begun = perf_counter()
        with tempfile.TemporaryDirectory(prefix="kwh2mqtt-bench-") as folder:
            rows += await _rows(name, Path(folder))
        sys.stderr.write(f"{perf_counter() - begun:.0f} s\n")
    return rows


async def _rows(name: str, folder: Path) -> list[Row]:
    try:
        return await BENCHES[name](folder)
    except (TimeoutError, RuntimeError) as error:  # one that fails must not keep the others from being measured
        sys.stderr.write(_logs(folder))
        return [Row(name, f"{type(error).__name__} {error}".strip(), "not measured", held=False)]


def _logs(folder: Path) -> str:
    """Return the ends of what the processes wrote."""
    return "".join(f"\n{log.name}: {log.read_text(errors='replace')[-LOG_TAIL:]}" for log in sorted(folder.rglob("*.log")))


def _prepare_environment(caches: str) -> None:
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[variable]  # the configuration that is measured is this one
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at every start
    os.environ["PYTHONPYCACHEPREFIX"] = caches


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure; all of it, or what is named.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    names = parser.parse_args().names
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if programs()[0] is None:
        parser.error("mosquitto is not installed: apt-get install mosquitto")
    logging.basicConfig(level=logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: what was started is ended
    try:
        with tempfile.TemporaryDirectory(prefix="kwh2mqtt-bench-") as caches:
            _prepare_environment(caches)
            table = drawn(asyncio.run(measured(names or list(BENCHES))))
    except KeyboardInterrupt:
        return 1
    print(f"{table}\n\n{circumstances()}")
    if not names:
        RESULTS.write_text(f"{HEAD}{table}\n\n{circumstances()}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

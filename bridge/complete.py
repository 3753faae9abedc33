"""What the shell offers when Tab is pressed after `kwh2mqtt …`: the commands, and the names of sources and operations.

Whom to poll or sign in stands in the configuration, whether it is right or not; whom to ask for what the bridge tells in
`bridge/info`. Bash calls this by `complete -C` at every Tab: it says nothing else, whatever goes wrong, and ends within a second.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bridge.ask import operations
from bridge.errors import BridgeError
from bridge.faults import variable
from bridge.file import found, read
from bridge.settings import load

WITHIN_S = 1.0
WITH_VALUE = ("--config", "--client", "--id")  # options that a word of their own follows
OF_A_SOURCE = ("poll", "introspect", "login")


class Typed(NamedTuple):
    """A command line up to the cursor."""

    words: tuple[str, ...]  # without options; the first is the program
    begun: str  # the word at the cursor
    config: Path | None
    is_name: bool  # whether that word may be a name


def complete(commands: Iterable[str]) -> None:
    """Print what may stand where the cursor is, a line each."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))  # a connection that hangs is waited for by nobody
    signal.setitimer(signal.ITIMER_REAL, WITHIN_S)
    logging.disable()
    line = os.environ.get("COMP_LINE", "")
    point = os.environ.get("COMP_POINT", "")
    for name in offered(typed(line[: int(point)] if point.isdigit() else line), commands):
        sys.stdout.write(f"{name}\n")
    sys.stdout.flush()
    signal.setitimer(signal.ITIMER_REAL, 0)


def typed(line: str) -> Typed:
    """Return what a command line says so far."""
    words = line.split()
    begun = words.pop() if line[-1:].strip() else ""
    pairs = list(pairwise(("", *words, begun)))
    plain = tuple(word for before, word in pairs[:-1] if before not in WITH_VALUE and not word.startswith("-"))
    named = [word.removeprefix("--config=") for before, word in pairs if before == "--config" or word.startswith("--config=")]
    is_name = pairs[-1][0] not in WITH_VALUE and not begun.startswith("-")
    return Typed(plain, begun, Path(named[-1]) if named else None, is_name)


def offered(given: Typed, commands: Iterable[str]) -> list[str]:
    """Return the names that may stand where the cursor is."""
    return [name for name in _names(given, commands) if name.startswith(given.begun)] if given.is_name else []


def _names(given: Typed, commands: Iterable[str]) -> Sequence[str]:
    match given.words:
        case [_]:
            return list(commands)
        case [_, command] if command in OF_A_SOURCE:
            return _configured(given.config)
        case [_, "request"]:
            return list(_told(given.config))
        case [_, "request", source]:
            return list(_told(given.config).get(source, ()))
    return []


def _configured(config: Path | None) -> list[str]:
    """Return the names of the configured sources; none where the file cannot be read."""
    try:
        path = found(config)
        tables = read(path).get("sources", {}) if path else {}
    except BridgeError:
        return []
    above = variable("sources.")
    named = [name.upper().removeprefix(above).partition("__")[0].lower() for name in os.environ if name.upper().startswith(above)]
    return sorted({*tables, *named}) if isinstance(tables, dict) else []


def _told(config: Path | None) -> dict[str, dict[str, str]]:
    """Return what the bridge tells, which is nothing where it cannot be asked."""
    try:
        return asyncio.run(operations(load(config, sources_wanted=False).mqtt, WITHIN_S))
    except (BridgeError, OSError, ValueError):
        return {}

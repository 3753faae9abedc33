"""A measured row, the table of them, and the machine that they were measured on."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEAD = ("what", "measured", "result", "target", "")


@dataclass(frozen=True)
class Row:
    """One line: `result` is what the target is about, `measured` the absolute numbers behind it."""

    what: str
    measured: str
    result: str
    target: str = ""
    held: bool | None = None  # None where nothing was promised

    def cells(self) -> tuple[str, ...]:
        verdict = "" if self.held is None else "ok" if self.held else "missed"
        return self.what, self.measured, self.result, self.target, verdict


def at_most(what: str, measured: str, ratio: float, limit: float) -> Row:
    """Return the row of a ratio to a floor that ought to stay below `limit`."""
    return Row(what, measured, f"{ratio:.2f} ×", f"≤ {limit} ×", ratio <= limit)


def at_least(what: str, measured: str, ratio: float, limit: float) -> Row:
    return Row(what, measured, f"{ratio:.2f} ×", f"≥ {limit} ×", ratio >= limit)


def drawn(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table that can be read as it stands."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def circumstances() -> str:
    """Return when and on what it was measured."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {python}, {_processor()}, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor unknown"
    models = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    cores = sum(line.startswith("processor") for line in lines)
    return f"{cores} × {models[0] if models else platform.processor() or 'processor unknown'}"

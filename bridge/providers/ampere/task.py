"""One thing that is due at some time."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.models.observation import Observation

Key = tuple[str, ...]  # what is asked for, of what


@dataclass(frozen=True)
class Task:
    """`work` asks and yields what came. Raises SourceError."""

    key: Key
    due: datetime
    work: Callable[[], AsyncIterator[Observation]]
    site: str | None = None

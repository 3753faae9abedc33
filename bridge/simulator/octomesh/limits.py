"""The limits that the provider's document tells: 100 queries, 50 writes and 10 uploads in a minute, a window each.

The published server has none in its source; what stands before it may.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, auto

WINDOW = timedelta(minutes=1)


class Sort(StrEnum):
    """What a request counts as."""

    QUERY = auto()
    WRITE = auto()
    UPLOAD = auto()


@dataclass
class Limits:
    """How many requests of each sort are let through in a minute; `queries` counts what reads by REST too."""

    queries: int = 100
    writes: int = 50
    uploads: int = 10
    _passed: dict[Sort, deque[datetime]] = field(default_factory=dict)

    def lets_pass(self, sort: Sort, moment: datetime) -> bool:
        """Count a request, unless it is one too many."""
        passed = self._passed.setdefault(sort, deque())
        while passed and passed[0] <= moment - WINDOW:
            passed.popleft()
        allowed = {Sort.QUERY: self.queries, Sort.WRITE: self.writes, Sort.UPLOAD: self.uploads}[sort]
        if len(passed) >= allowed:
            return False
        passed.append(moment)
        return True

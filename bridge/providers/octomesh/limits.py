"""The limits that OctoMesh's document names for each client, kept on our side: a window each. Pure but for their memory.

They stand besides the source's budget, which counts every request of whatever kind and outlives a restart.
"""

from collections import deque
from datetime import datetime, timedelta

from bridge.errors import BudgetSpent

MINUTE = timedelta(minutes=1)


class Window:
    """So many of one kind in any sixty seconds."""

    def __init__(self, what: str, most: int) -> None:
        self._what, self._most = what, most
        self._taken: deque[datetime] = deque()

    def take(self, moment: datetime) -> None:
        """Take one. Raises BudgetSpent, which says how long to wait, where none is left."""
        while self._taken and not moment - MINUTE < self._taken[0] <= moment:  # a clock that was set back is forgiven
            self._taken.popleft()
        if len(self._taken) >= self._most:
            text = f"OctoMesh allows {self._most} {self._what} a minute, and they are used up"
            raise BudgetSpent(text, retry_after=self._taken[0] + MINUTE - moment)
        self._taken.append(moment)


class Limits:
    """The three limits of the document."""

    def __init__(self) -> None:
        self.queries = Window("queries", 100)
        self.writes = Window("writes", 50)
        self.uploads = Window("uploads", 10)

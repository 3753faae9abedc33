"""How often a client may ask: pure but for its memory. What is over a limit is refused at once, and never waits in a queue."""

from collections import deque
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
MOST_CLIENTS = 10_000  # remembered at once; a name costs nothing, so those that were silent for longest are forgotten


class Rate:
    """So many in any sixty seconds, for each client."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._taken: dict[str, deque[datetime]] = {}

    def wait(self, client: str, moment: datetime) -> timedelta | None:
        """Take one for `client`; where none is left, return how long until there is."""
        taken = self._taken.pop(client, None) or deque()
        self._taken[client] = taken  # the newest last
        while taken and not moment - MINUTE < taken[0] <= moment:  # a clock that was set back is forgiven
            taken.popleft()
        if len(taken) >= self._most:
            return taken[0] + MINUTE - moment
        taken.append(moment)
        if len(self._taken) > MOST_CLIENTS:
            del self._taken[next(iter(self._taken))]
        return None

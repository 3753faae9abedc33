"""One command on its way to its answer, and the errors that are the desk's own."""

from dataclasses import dataclass, field
from datetime import datetime

from bridge.commands.offer import Offer
from bridge.commands.request import Body, Reply, id_in
from bridge.errors import BridgeError
from bridge.models.message import Arrival
from bridge.topics import Errand


class Internal(BridgeError):
    """A fault of ours; the log has the details."""


class Stopping(BridgeError):
    """We are asked to stop, and ask nobody anything any more."""

    code = "unavailable"


class NotReady(BridgeError):
    """The bridge cannot do this yet."""

    code = "unavailable"


@dataclass(frozen=True)
class Command:
    """One command on its way to its answer; `body` and `offer` are known once it has been read."""

    errand: Errand
    reply: Reply
    arrival: Arrival
    moment: datetime
    body: Body = field(default_factory=Body)
    offer: Offer | None = None

    @property
    def name(self) -> str:
        return f"{self.errand.source}.{self.errand.operation}"

    @property
    def id(self) -> str | None:
        return self.body.id if self.body.id is not None else id_in(self.arrival.payload)

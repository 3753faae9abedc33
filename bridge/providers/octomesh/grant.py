"""What a sign-in brought, and how it is kept: by our clock, as spans from when it was asked for."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from bridge.models.price import Instant

EARLY = timedelta(minutes=5)  # before its end a token is renewed; at most a tenth of its life
MOST_KEPT = 3  # grants


class Grant(BaseModel):
    """What one sign-in brought, as it is kept."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    mark: str  # whose it is, see `Client.mark`
    token: str
    issued: Instant
    expires: Instant
    refresh_token: str | None = None

    def is_good(self, moment: datetime) -> bool:
        """Tell whether it need not be renewed yet."""
        return self.issued <= moment < self.expires - min(EARLY, (self.expires - self.issued) / 10)

    def is_alive(self, moment: datetime) -> bool:
        return self.issued <= moment < self.expires


class Kept(BaseModel):
    """What lies in the pocket: the newest grant of each of the last few clients, ways and scopes.

    Several, as a bridge that has not heard of a new configuration yet must not throw away what a person signed in for it.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    grants: tuple[Grant, ...] = ()

    def of(self, mark: str) -> Grant | None:
        return next((grant for grant in self.grants if grant.mark == mark), None)

    def with_(self, grant: Grant) -> "Kept":
        others = [other for other in self.grants if other.mark != grant.mark]
        return Kept(grants=(grant, *others)[:MOST_KEPT])

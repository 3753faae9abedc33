"""The suppliers that run on Kraken: one core, another address each, and differences that only those have who are listed here."""

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

LONDON = "Europe/London"


@dataclass(frozen=True)
class Tenant:
    """One supplier: where it answers, and what it has."""

    url: str
    rest_url: str | None  # keyless prices; None where there are none
    backend_url: str | None  # Octopus' own gateway: saving sessions, greener nights
    currency: str = "GBP"
    timezone: str = LONDON
    release: time = time(16)  # when tomorrow's prices come, in its own zone
    day_ends: time = time(23)  # where tomorrow's prices end: the British auction's day is the one of Paris
    british: bool = True  # meter points, tariffs and readings as in Great Britain

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def _british(host: str, backend: str | None = None) -> Tenant:
    return Tenant(f"https://{host}/v1/graphql/", f"https://{host}/v1", backend)


TENANTS = {
    "uk": _british("api.octopus.energy", "https://api.backend.octopus.energy/v1/graphql/"),
    "edf": _british("api.edfgb-kraken.energy"),
    "eon-next": _british("api.eonnext-kraken.energy"),
    "germany": Tenant(
        "https://api.oeg-kraken.energy/v1/graphql/",
        None,
        None,
        currency="EUR",
        timezone="Europe/Berlin",
        release=time(14),
        day_ends=time(),
        british=False,
    ),
}
OTHERS = ("france", "italy", "japan", "new-zealand", "spain", "usa")  # Kraken too, with meter points and prices of their own

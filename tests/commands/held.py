"""What is known of a source with two homes, as the operations that need no provider see it."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from bridge.feed.place import Place
from bridge.models.price import QUARTER_HOUR, Curve
from bridge.models.reading import Reading
from bridge.models.site import Site
from tests.support import Knowledge, curve, utc

MIDNIGHT = utc("2026-06-09T22:00")  # in Oslo
HOUR = timedelta(hours=1)


@dataclass
class Held(Knowledge):
    """Likewise, with each site under its topic name."""

    places: dict[str, Place] = field(default_factory=dict)

    def levelled(self, site: str, stream: str) -> Curve | None:
        """Return the curve as it stands: its levels are the test's."""
        return self.places[site].curves.get(stream)


def reading(meter: str, value: str, end: str, quantity: str = "energy", aggregation: str | None = None) -> Reading:
    """Return what was measured in the hour that ended at `end`."""
    over = utc(end)
    return Reading(
        meter=meter, quantity=quantity, value=Decimal(value), unit="kWh", start=over - HOUR, end=over,
        direction="import", resolution=HOUR, aggregation=aggregation,
    )  # fmt: skip


def told(
    meter: str, value: float, start: str, end: str, site: str = "holm-street", quantity: str = "energy"
) -> dict[str, object]:
    """Return a reading as a device is told of it."""
    about = {"meter": meter, "quantity": quantity, "value": value, "unit": "kWh", "start": f"{start}:00Z", "end": f"{end}:00Z"}
    return {"site": site, **about, "direction": "import", "resolution": "PT1H"}


def held() -> Held:
    """Return two homes: one with prices of two streams and two readings, one with prices alone."""
    home = Site(id="id-1", title="Holm Street", timezone="Europe/Oslo", currency="NOK", streams=("import", "export"))
    cabin = Site(id="id-2", title="Cabin", timezone="Europe/Oslo", streams=("import",))
    readings = [reading("import", "1.25", "2026-06-10T09:00"), reading("export", "0.5", "2026-06-10T08:00")]
    curves = {
        "import": curve(MIDNIGHT - QUARTER_HOUR, [0.5, 1, 1.5, 2], currency="NOK"),
        "export": curve(MIDNIGHT, [-0.1], currency="NOK"),
    }
    places = {
        "id-1": Place("holm-street", home, curves, readings={(one.meter, one.quantity): one for one in readings}),
        "id-2": Place("cabin", cabin, {"import": curve(MIDNIGHT, [3], currency="NOK")}),
    }
    return Held(sites={"id-1": home, "id-2": cabin}, places=places)

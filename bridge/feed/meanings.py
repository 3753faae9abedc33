"""What the curves of one source mean, each judged once, for as long as the curve stands."""

from bridge.feed.place import Place
from bridge.pricing.meaning import Meaning
from bridge.pricing.settings import PricingSettings


class Meanings:
    """Remembers by the curve's identity: a new curve is another object, one that stays is the same."""

    def __init__(self, settings: PricingSettings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, str], Meaning] = {}  # by site id and stream

    def of(self, place: Place, stream: str) -> Meaning:
        """Return what the curve of a stream, which the place must have, means."""
        key, curve, zone = (place.site.id, stream), place.curves[stream], place.site.zone
        known = self._known.get(key)
        if known is None or known.curve is not curve or known.zone != zone:
            known = self._known[key] = Meaning(curve, zone, self._settings)
        return known

    def forget(self, site: str) -> None:
        """Let go of a site (its id)."""
        for key in [key for key in self._known if key[0] == site]:
            del self._known[key]

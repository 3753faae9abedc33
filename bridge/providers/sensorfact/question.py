"""What one measurement is asked for: a window, a level that is allowed for it, the zone in which both sides write their times."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.errors import BadRequest
from bridge.providers.sensorfact.aggregation import is_too_fine, least
from bridge.providers.sensorfact.api import Query
from bridge.providers.sensorfact.settings import MeasurementSettings, SensorfactSettings
from bridge.providers.sensorfact.values import ZONE
from bridge.providers.sensorfact.windows import UTC_ZONE, Window


@dataclass(frozen=True)
class Question:
    """One list of items; `level` may be `auto`."""

    measurement: MeasurementSettings
    window: Window
    level: str
    sent: ZoneInfo = UTC_ZONE  # no local time is written twice on an autumn day

    def query(self, settings: SensorfactSettings) -> Query:
        """Return the parameters of the request."""
        params = self.measurement.params.items()
        asked = [*((name, value) for name, values in params for value in values), *self.window.query(self.sent).items()]
        asked += [(settings.aggregation_parameter, self.level), (ZONE, self.sent.key)]
        if settings.page_size_parameter is not None:
            asked.append((settings.page_size_parameter, str(settings.page_size)))
        return asked


def allowed(
    measurement: MeasurementSettings, window: Window, wanted: str | None, moment: datetime, site: ZoneInfo, sent: ZoneInfo
) -> str:
    """Return the level to ask for: the one that is `wanted`, else the configured one or the finest there may be.

    Raises BadRequest where the wanted one is too fine for so long a window.
    """
    floor = least(measurement.kind, lambda period: window.exceeds(period, moment, site, sent))
    level = wanted or measurement.aggregation
    if not is_too_fine(level, floor):
        return level
    if wanted is not None:
        raise BadRequest(
            f"aggregation: {wanted} is too fine for so long a window of {measurement.kind.value}: "
            f"the least level that is allowed is {floor}"
        )
    return str(floor)

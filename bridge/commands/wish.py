"""What a device's arguments mean at a moment: which site, from when until when, and how much. Pure.

A run begins on a whole second. With a least piece, lengths are whole five minutes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.commands.generic import Holdings, Place, stamp
from bridge.commands.wanted import LONGEST_NAME, SECOND, CheapestArguments, rounded_up, told
from bridge.errors import BadRequest, NotFound
from bridge.models.plan import Wish
from bridge.pricing.day import next_at

GRID = timedelta(minutes=5)  # on which pieces of a least length are found
HORIZON = timedelta(hours=48)  # in which a device runs that names no deadline
FARTHEST = timedelta(days=30)  # that anybody plans ahead
SECONDS_OF_AN_HOUR = 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def place_of(given: CheapestArguments, sources: Mapping[str, Holdings]) -> Place:
    """Return the site that is meant. Raises NotFound, or BadRequest where it could be any of several."""
    if given.source not in sources:
        raise NotFound(f"there is no source {given.source[:LONGEST_NAME]}; there is: {', '.join(sources) or 'none'}")
    places = list(sources[given.source].places.values())
    names = ", ".join(place.name for place in places) or "none"
    if given.site is None and len(places) > 1:
        raise BadRequest(f"args: site: name one of: {names}")
    found = [place for place in places if given.site in (None, place.name)]
    if not found:
        named = "yet" if given.site is None else given.site[:LONGEST_NAME]
        raise NotFound(f"{given.source} has no site {named}; it has: {names}")
    streams = dict.fromkeys((*found[0].site.streams, *found[0].curves))
    if given.stream not in streams:
        text = f"{found[0].name} has no stream {given.stream[:LONGEST_NAME]}; it has: {', '.join(streams) or 'none'}"
        raise NotFound(text)
    return found[0]


def wish_of(given: CheapestArguments, place: Place, moment: datetime) -> Wish:
    """Return what `given` means at `moment`. Raises BadRequest where no time is left for it."""
    least = None if given.in_one_go else given.min_segment
    length = given.length if least is None else rounded_up(given.length, GRID)
    earliest, latest = _limits(given, place.site.zone, moment)
    if latest - earliest < length:
        span = f"{told(length)} do not fit from {stamp(earliest)} to {stamp(latest)}"
        raise BadRequest(f"args: deadline: too early: {span}; set it later, or ask for less")
    return Wish(
        source=given.source,
        site=place.site.id,
        stream=given.stream,
        duration=length,
        earliest=earliest,
        latest=latest,
        contiguous=given.in_one_go,
        min_segment=timedelta() if least is None else rounded_up(least, GRID),
        max_price=given.max_price,
        levels=given.levels,
        power=given.power_kw,
        energy_kwh=_energy(given, length),
    )


def _limits(given: CheapestArguments, zone: ZoneInfo, moment: datetime) -> tuple[datetime, datetime]:
    """Return when to begin at the earliest, and to be done at the latest."""
    earliest, first, last = whole(moment, SECOND), given.not_before, given.deadline
    if isinstance(first, time):
        first = next_at(first, zone, moment - timedelta.resolution)
    if first is not None and first > moment + FARTHEST:
        raise BadRequest(f"args: not_before: lies more than {FARTHEST.days} days ahead")
    earliest = earliest if first is None else max(first, earliest)
    if isinstance(last, time):
        last = next_at(last, zone, earliest)
    return earliest, earliest + HORIZON if last is None else min(last, earliest + FARTHEST)


def _energy(given: CheapestArguments, length: timedelta) -> Decimal | None:
    """Return the energy of a run of `length`, kWh; None where that is unknown."""
    if given.energy_kwh is not None or not given.power_kw:
        return given.energy_kwh
    mean = sum(given.power_kw, Decimal()) / len(given.power_kw)
    return mean * Decimal(length // SECOND) / SECONDS_OF_AN_HOUR


def whole(moment: datetime, step: timedelta) -> datetime:
    """Return the first multiple of `step` that is not before `moment`."""
    return EPOCH + rounded_up(moment - EPOCH, step)

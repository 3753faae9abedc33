"""The operations of every source, written once: what is known already, the readings of the past, and a poll at once."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Protocol, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.commands.answer import Plain
from bridge.commands.offer import Offer, Run, offered
from bridge.commands.results import Prices, Readings, ReadingTold, Refreshed, Sites, SiteTold, StreamPrices
from bridge.errors import BadRequest, NotFound
from bridge.models.price import Curve, Instant
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.pricing.currency import unit
from bridge.pricing.day import midnight
from bridge.providers.base import Historian, Kind, Known, Operation, Page, Span

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Place(Protocol):
    """A site under its topic name, and what is known of it."""

    @property
    def name(self) -> str: ...
    @property
    def site(self) -> Site: ...
    @property
    def curves(self) -> Mapping[str, Curve]: ...
    @property
    def meters(self) -> Mapping[str, str]:
        """The names of meters by the provider's id, of those that have one."""
        ...

    @property
    def readings(self) -> Mapping[tuple[str, str], Reading]: ...


class Holdings(Known, Protocol):
    """All that is known of one source."""

    @property
    def places(self) -> Mapping[str, Place]: ...  # by the provider's id

    def levelled(self, site: str, stream: str) -> Curve | None:
        """Return the curve with a level of ours for each slot to which the provider gives none."""
        ...


class Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Arguments):
    """No arguments."""


class PricesArguments(Arguments):
    site: str | None = None  # its name on the topics; default: all of them
    stream: str | None = None  # import, export, gas; default: all of them
    start: Instant | None = Field(default=None, alias="from")  # default: the start of the local day
    end: Instant | None = Field(default=None, alias="to")  # default: the end of what is known


def _span(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,3}[mhdw]", text):
        raise ValueError('must be a number and one of m, h, d, w, such as "7d"')
    return text


class ReadingsArguments(Arguments):
    site: str | None = None  # its name on the topics; default: all of them, but of the past one only
    meter: str | None = None  # its name on the topics; default: all of them
    quantity: str | None = None  # energy, power, …; default: all of them
    start: Instant | None = Field(default=None, alias="from")  # without any span: the newest reading of each
    end: Instant | None = Field(default=None, alias="to")  # default: now
    previous: Annotated[str, AfterValidator(_span)] | None = None  # instead of `from`: so long until `to`, or until now; 7d
    aggregation: str | None = None  # mean, sum, p95; default: all of them
    first: int = Field(default=100, ge=1, le=1000)  # readings a page, at the most
    after: str | None = Field(default=None, max_length=1024)  # the `next` of the page before

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.previous is not None and self.start is not None:
            raise ValueError("from and previous say the same: give one of them")
        return self

    def span(self, moment: datetime) -> Span:
        start = self.start
        if self.previous is not None:
            back = timedelta(**{UNITS[self.previous[-1]]: int(self.previous[:-1])})
            try:
                start = (self.end or moment) - back
            except OverflowError:
                raise BadRequest("previous: it reaches back beyond all years") from None
        return Span(start, self.end, self.meter, self.quantity, self.first, self.after)

    @property
    def of_the_past(self) -> bool:
        return any(given is not None for given in (self.start, self.end, self.previous, self.after))


OPERATIONS = {
    "prices": Operation(Kind.QUERY, "the known prices", PricesArguments, Prices),
    "sites": Operation(Kind.QUERY, "the sites and their streams", Nothing, Sites),
    "readings": Operation(Kind.QUERY, "the newest readings, or those of the past", ReadingsArguments, Readings),
    "refresh": Operation(Kind.QUERY, "ask the provider for what is due, now", Nothing, Refreshed),
}


Told = dict[str, object]  # as the operation's result has it


class Generic:
    """The generic operations of one source."""

    def __init__(self, source: str, holdings: Holdings, asked: object, refresh: Callable[[], Awaitable[list[str]]]) -> None:
        """`asked` is the source itself; where it is a Historian it is asked for readings of the past."""
        self._source, self._holdings, self._asked, self._refresh = source, holdings, asked, refresh

    def offers(self) -> Iterator[Offer]:
        yield self._offer("prices", self._prices, remote=False)
        yield self._offer("sites", self._sites, remote=False)
        yield self._offer("readings", self._readings, remote=isinstance(self._asked, Historian))
        yield self._offer("refresh", self._refreshed, remote=True)

    def _offer(self, name: str, run: Run, *, remote: bool) -> Offer:
        return offered(self._source, name, OPERATIONS[name], run, remote=remote)

    async def _prices(self, given: PricesArguments, moment: datetime) -> Plain:
        return Plain({"prices": [found for place in self._places(given.site) for found in _priced(place, given, moment)]})

    async def _sites(self, _: Nothing, __: datetime) -> Told:
        return {"sites": [_told(place) for place in self._places(None)]}

    async def _readings(self, given: ReadingsArguments, moment: datetime) -> Told:
        places = self._places(given.site)
        if not given.of_the_past or not isinstance(self._asked, Historian):
            found = [_read(place, reading) for place in places for reading in _chosen(place, given, moment)]
            return {"readings": found, "next": None}
        if len(places) > 1:
            raise BadRequest(f"site: name one, as each has pages of its own: {', '.join(place.name for place in places)}")
        pages = [
            await self._asked.history(place.site.id, _asked_of(place, given, moment), self._holdings, moment) for place in places
        ]
        page = pages[0] if pages else Page(())
        wanted = (reading for reading in page.readings if given.aggregation in (None, reading.aggregation))
        return {"readings": [_read(places[0], reading) for reading in wanted], "next": page.next}

    async def _refreshed(self, _: Nothing, __: datetime) -> Told:
        return {"refreshed": await self._refresh()}

    def _places(self, name: str | None) -> list[Place]:
        places = list(self._holdings.places.values())
        if name is None:
            return places
        found = [place for place in places if place.name == name]
        if not found:
            raise NotFound(
                f"{self._source} has no site {name[:64]}; it has: {', '.join(place.name for place in places) or 'none'}"
            )
        return found


def stamp(moment: datetime) -> str:
    """Return a UTC instant as every payload of ours has it."""
    return f"{moment.isoformat()[:-6]}Z"


def _priced(place: Place, given: PricesArguments, moment: datetime) -> Iterator[StreamPrices]:
    start = given.start or midnight(moment, place.site.zone)
    for stream, curve in place.curves.items():
        if given.stream in (None, stream):
            slots = [slot for slot in curve.slots if slot.end > start and (given.end is None or slot.start < given.end)]
            yield {
                "site": place.name,
                "stream": stream,
                "currency": curve.currency,
                "unit": unit(curve.currency),
                "slots": [{"start": stamp(slot.start), "end": stamp(slot.end), "value": float(slot.value)} for slot in slots],
            }


def _told(place: Place) -> SiteTold:
    site = place.site
    currency = site.currency or next((curve.currency for curve in place.curves.values() if curve.currency), None)
    return {
        "site": place.name,
        "name": site.title,
        "timezone": site.timezone,
        "currency": currency,
        "streams": list(site.streams),
    }


def _chosen(place: Place, given: ReadingsArguments, moment: datetime) -> Iterator[Reading]:
    span = given.span(moment)
    for reading in place.readings.values():
        at = reading.end or reading.at
        early = span.start is not None and at is not None and at <= span.start
        late = span.end is not None and at is not None and at > span.end
        alike = given.meter in (None, reading.meter) and given.quantity in (None, reading.quantity)
        if alike and given.aggregation in (None, reading.aggregation) and not early and not late:
            yield reading


def _asked_of(place: Place, given: ReadingsArguments, moment: datetime) -> Span:
    """Return the span with the provider's id of the meter, where it has one."""
    span = given.span(moment)
    ids = {name: id_ for id_, name in place.meters.items()}
    return span if span.meter is None else replace(span, meter=ids.get(span.meter, span.meter))


def _read(place: Place, reading: Reading) -> ReadingTold:
    facts = {key: value for key, value in reading.model_dump(exclude={"other"}).items() if value is not None}
    shown = float(reading.shown) if isinstance(reading.shown, Decimal) else reading.shown
    told = {"site": place.name, **facts, "meter": place.meters.get(reading.meter, reading.meter), "value": shown}
    return cast("ReadingTold", told)

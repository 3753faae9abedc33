"""OctoMesh's message bus, experimental: what the pipelines of a data flow send is heard, and becomes readings at once.

The exchange and its routing keys are named as in OctoMesh's published sources; no broker for others is documented.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from bridge.clock import Clock
from bridge.models.observation import Observation, ReadingsSeen, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.base import Known, from_json
from bridge.providers.octomesh.pipeline import UNREADABLE, Odd, ValueSettings, Word, items, opened, reading
from bridge.transport.amqp import Delivery, hearing, is_installed
from bridge.transport.settings import AmqpServerSettings

log = logging.getLogger(__name__)

MOST_SERIES = (
    1000  # meters times quantities, each a topic: messages that name their meter anew each time must not fill the broker
)

Hear = Callable[[AmqpServerSettings, str, Sequence[str]], AbstractAsyncContextManager[AsyncGenerator[Delivery, None]]]


class AmqpSettings(AmqpServerSettings):
    """`[sources.NAME.amqp]`."""

    data_flow: Word  # its rtId
    pipeline: Word | None = None  # the rtId of the pipeline that is sent to: of every value that names none itself
    prefix: Word | None = None  # of the OctoMesh instance
    values: Annotated[tuple[ValueSettings, ...], Field(min_length=1), BeforeValidator(from_json)]

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if not is_installed():
            raise ValueError("it needs the extra amqp: pip install 'kwh2mqtt[amqp]'")
        if self.pipeline is None and any(row.pipeline is None for row in self.values):
            raise ValueError("pipeline is missing: give one here, or one to each of the values")
        return self

    def of(self, pipeline: str) -> list[ValueSettings]:
        """Return what is to be read of a message to `pipeline`."""
        return [row for row in self.values if (row.pipeline or self.pipeline) == pipeline]

    @property
    def pipelines(self) -> list[str]:
        return list(dict.fromkeys(row.pipeline or self.pipeline or "" for row in self.values))

    def exchange(self, tenant: str) -> str:
        prefix = f"{self.prefix}:" if self.prefix else ""
        return f"{prefix}octo::com::dataflow-{tenant.lower()}-{self.data_flow.lower()}"


class DataFlow:
    """One data flow of a tenant, as far as it is configured; see `bridge.providers.base.Listening`."""

    def __init__(self, settings: AmqpSettings, source: str, tenant: str, site: Site, clock: Clock, hear: Hear = hearing) -> None:
        """`site` is the tenant's."""
        self._settings, self._source, self._site, self._clock, self._hear = settings, source, site, clock, hear
        self._exchange = settings.exchange(tenant)
        self._told: set[str] = set()  # bounded: of the configuration's words and ours
        self._series: set[tuple[str, str]] = set()

    async def reach(self) -> None:
        """Connect as `listen` does, and leave again. Raises SourceError."""
        async with self._hear(self._settings, self._exchange, self._settings.pipelines):
            pass

    async def listen(self, known: Known) -> AsyncGenerator[Observation, None]:
        """Yield the readings of each message, as it comes."""
        async with self._hear(self._settings, self._exchange, self._settings.pipelines) as deliveries:
            if self._site.id not in known.sites:
                yield SitesSeen((self._site,), complete=False)
            yield ReadingsSeen(self._site.id, ())
            async for delivery in deliveries:
                if found := tuple(filter(self._has_room, self._read(delivery))):
                    yield ReadingsSeen(self._site.id, found)

    def _read(self, delivery: Delivery) -> Iterator[Reading]:
        try:
            content, sent = opened(delivery)
        except UNREADABLE as error:
            self._complain("a message", error)
            return
        for row in self._settings.of(delivery.routing_key):
            for item in self._items(content, row):
                try:
                    found = reading(item, row, sent or self._clock.now())
                except UNREADABLE as error:
                    self._complain(f"{row.value} of a message", error)
                else:
                    yield from [found] if found else []

    def _items(self, content: Any, row: ValueSettings) -> Sequence[Any]:
        try:
            return items(content, row)
        except UNREADABLE as error:
            self._complain(f"{row.each} of a message", error)
            return []

    def _has_room(self, found: Reading) -> bool:
        series = (found.meter, found.quantity)
        if series not in self._series and len(self._series) >= MOST_SERIES:
            self._complain("a further meter or quantity", Odd(f"there are {MOST_SERIES} already"))
            return False
        self._series.add(series)
        return True

    def _complain(self, what: str, error: BaseException) -> None:
        """Say what is left out and why, the first time so that it is seen. Nothing of the message is told."""
        why = str(error) if isinstance(error, Odd) else type(error).__name__
        text = f"{what} is left out: " + (f"there is no {error}" if isinstance(error, KeyError) else why)
        log.log(logging.DEBUG if text in self._told else logging.WARNING, "%s: %s", self._source, text)
        self._told.add(text)

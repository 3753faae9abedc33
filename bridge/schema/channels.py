"""Every topic, with what stands on it: from this table come the AsyncAPI document and docs/topics.md.

Addresses are made by the very builders that make the topics, with a name in braces wherever a part differs.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple, get_args

from bridge.commands.desk import ANSWER_LIVES
from bridge.commands.messages import SHOWN_AFTER
from bridge.commands.results import Audited
from bridge.feed.messages import LIVE
from bridge.models.message import GRACE, NEWS
from bridge.models.payload import (
    BridgeHealth,
    BridgeInfo,
    Columns,
    CostPayload,
    DevicePayload,
    Event,
    FigurePayload,
    LivePayload,
    PlanPayload,
    Price,
    PriceSlot,
    ReadingPayload,
    SiteInfo,
    SourceHealth,
    SpanPayload,
    Summary,
    WindowPayload,
)
from bridge.models.payload.base import Number
from bridge.topics import Topics

Switch = Literal["ON", "OFF"]
State = Literal["online", "offline"]
PARAMETERS: Mapping[str, str] = {
    "source": "the name of a configured source, `[sources.NAME]`",
    "site": "a home, property, facility or tenant, by the name that it was given when it was first seen",
    "stream": "what is bought or sold: `import`, `export`, `gas`",
    "meter": "`import`, `export`, `gas`, or the name of a device or a measurement",
    "quantity": "what is measured: `energy`, `power`, `volume`, …",
    "figure": "a figure of the account: `balance`, `points`",
    "kind": "what is announced: `saving-sessions`, `free-electricity`, `greener-nights`",
    "device": "a device that the provider switches, by the name that it was given when it was first seen",
    "window": "the name of a configured window, `[sources.NAME.windows.WINDOW]`",
    "plan": "what the client called its plan",
    "client": "who asks: the login that the broker's access list ties it to, up to 64 bytes",
    "operation": "what is asked for",
}
SOURCE, SITE, STREAM, CLIENT = "{source}", "{site}", "{stream}", "{client}"
AFTER_SLOT = f"{GRACE.seconds} s after its slot"
AFTER_LAST = "with the last slot"
AFTER_DISPATCH = f"{GRACE.seconds} s after the dispatch in force"
AFTER_WINDOW = f"{GRACE.seconds} s after the segment in force"
AFTER_PLAN = f"{SHOWN_AFTER.seconds // 60} min after the end of the plan"
AFTER_SEGMENT = f"{AFTER_WINDOW}, else {AFTER_PLAN}"


class Channel(NamedTuple):
    """A topic, or all topics that differ in the braced parts of `address` alone."""

    name: str
    address: str
    about: str
    payloads: tuple[Any, ...]  # the type of each message there may be
    expires: str | timedelta | None = None  # when its worth ends (MQTT 5): so long after it was published, or as told
    retain: bool = True
    bare: bool = False  # a word that is no JSON


def channels(topics: Topics) -> Iterator[Channel]:
    """Yield every topic that the bridge publishes to, but the answers to commands."""
    yield from _of_the_bridge(topics)
    yield from _of_a_source(topics)
    yield from _of_prices(topics)
    yield from _of_a_site(topics)
    yield from _of_plans(topics)


def _of_the_bridge(topics: Topics) -> Iterator[Channel]:
    bridge = topics.bridge
    yield Channel("bridge.state", bridge("state"), "whether the bridge runs; its last will says `offline`", (State,), bare=True)
    yield Channel("bridge.info", bridge("info"), "version, sources with their sites, operations with their kind", (BridgeInfo,))
    yield Channel("bridge.health", bridge("health"), "how the bridge fares, every minute", (BridgeHealth,))
    about = "a line for each write, refused or done"
    yield Channel("bridge.audit", bridge("audit"), about, (Audited,), ANSWER_LIVES, retain=False)


def _of_a_source(topics: Topics) -> Iterator[Channel]:
    about = "whether this source's data is fresh"
    yield Channel("source.state", topics.source(SOURCE, "state"), about, (State,), bare=True)
    about = "how the last poll went, when the next is due, and what is left of the request budget"
    yield Channel("source.health", topics.source(SOURCE, "health"), about, (SourceHealth,))


def _of_prices(topics: Topics) -> Iterator[Channel]:
    def price(figure: str, about: str, payload: Any, expires: str | None) -> Channel:
        return Channel(f"price.{figure}", topics.price(SOURCE, SITE, STREAM, figure), about, (payload,), expires)

    yield price(
        "value", "the price now as a bare number, in the major unit per kWh; empty where it is unknown", Number, AFTER_SLOT
    )
    yield price("current", "the slot now", Price, AFTER_SLOT)
    yield price("next", "the slot after it", Price, AFTER_SLOT)
    yield price(
        "slots", "every known slot from the start of the local day on; unknown ones are left out", list[PriceSlot], AFTER_LAST
    )
    yield price("columns", "the same as an even grid of numbers, for a microcontroller", Columns, AFTER_LAST)
    yield price("summary", "today and tomorrow", Summary, None)
    about = SOURCE, SITE, STREAM, "{window}"
    text = "a configured window: the one in force, or else the next; empty where none is known"
    yield Channel("price.window", topics.window(*about), text, (WindowPayload,))
    text = "`ON` while a window is in force, switched on time"
    yield Channel("price.window.active", topics.window_active(*about), text, (Switch,), AFTER_WINDOW, bare=True)


def _of_a_site(topics: Topics) -> Iterator[Channel]:
    here = SOURCE, SITE
    about = "name, time zone, currency, streams, standing charges; no address, e-mail or supply number unless you ask for it"
    yield Channel("site.info", topics.info(*here), about, (SiteInfo,))
    yield Channel("reading", topics.reading(*here, "{meter}", "{quantity}"), "the newest reading of a meter", (ReadingPayload,))
    for period, words in (("today", "of today so far"), ("yesterday", "of yesterday"), ("month", "of this month so far")):
        text = f"what the energy {words} cost, or at `export` earned"
        yield Channel(f"cost.{period}", topics.cost(*here, STREAM, period), text, (CostPayload,))
    yield Channel("account", topics.account(*here, "{figure}"), "a figure of the account", (FigurePayload,))
    text = "spans that the provider has announced, each until a day after its end"
    yield Channel("schedule", topics.schedule(*here, "{kind}"), text, (list[SpanPayload],))
    device = (*here, "{device}")
    text = "a device that the provider switches, with what is planned for it and what was done"
    yield Channel("dispatch", topics.dispatch(*device), text, (DevicePayload,), AFTER_DISPATCH)
    text = "`ON` during a planned dispatch, switched on time"
    yield Channel("dispatch.active", topics.dispatch_active(*device), text, (Switch,), AFTER_DISPATCH, bare=True)
    yield Channel("live", topics.live(*here, "{quantity}"), "what a meter shows now", (LivePayload,), LIVE)
    yield Channel("event", topics.event(*here), "what has just become known", get_args(Event), NEWS, retain=False)


def _of_plans(topics: Topics) -> Iterator[Channel]:
    text = "a client's plan: when its device is to run, and what that costs"
    yield Channel("plan", topics.plan(CLIENT, "{plan}"), text, (PlanPayload,), AFTER_PLAN)
    text = "`ON` during each segment of a plan, switched on time"
    yield Channel("plan.active", topics.plan_active(CLIENT, "{plan}"), text, (Switch,), AFTER_SEGMENT, bare=True)

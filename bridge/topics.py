"""Every topic there is, builder and reader side by side. All but some readers' lie below the configured base topic.

bridge/{state,info,health}                        the bridge itself
bridge/audit                                      not retained: a line for each write
{source}/{state,health}                           one account at a provider
{source}/{site}/info                              one home, property, facility or tenant
{source}/{site}/price/{stream}/{figure}           value, current, next, slots, columns, summary
{source}/{site}/price/{stream}/window/{name}[/active]  a configured window
{source}/{site}/cost/{stream}/{period}            today, yesterday, month
{source}/{site}/reading/{meter}/{quantity}        the newest reading of a meter
{source}/{site}/account/{figure}                  the account: balance, points
{source}/{site}/schedule/{kind}                   spans of time that the provider has announced
{source}/{site}/dispatch/{device}[/active]        when the provider lets a device run
{source}/{site}/live/{quantity}                   what a meter shows now
{source}/{site}/event                             not retained: what has just become known
command/{client}/{source}/{operation}             in: a device asks for something
response/{client}/{source}/{operation}            not retained: its answer
plan/{client}/{name}[/active]                     when a client's device is to run

A WARP charger listens below a prefix of its own:

day_ahead_prices/prices_update                    the prices, in its own shape

Home Assistant looks for these below a prefix of its own:

device/{device}/config                            a device with all of its entities
{platform}/{device}/{entity}/config               one entity, for versions that know no devices
status                                            in: it has begun

What `kwh2mqtt check --online` writes to `bridge/check` and `{source}/check` is empty and not retained: it tries whether it may.

Parts that we make are `[a-z0-9-]`; a configured source name stands as it is.
"""

import re
import unicodedata
from collections.abc import Container
from typing import NamedTuple

RESERVED_SOURCES = frozenset({"bridge", "command", "response", "plan", "homeassistant"})
RESERVED_SITES = frozenset({"state", "health"})  # they stand where a site would
SOURCE_NAME = r"[a-z][a-z0-9_-]*"
WARP_PRICES = "day_ahead_prices/prices_update"
LONGEST_LEVEL = 64
LONGEST_CLIENT = 64  # bytes
MOST_LEVELS, LONGEST_TOPIC = 100, 1024  # of a topic that somebody else has made up; mosquitto hangs up beyond 200 levels
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef+#]")
_UNDECOMPOSED = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "ẞ": "SS", "þ": "th",
                               "Þ": "Th", "ð": "d", "Ð": "D", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ı": "i"})  # fmt: skip


class Place(NamedTuple):
    """Where a topic lies: a source, a site where it lies below one, and a device or a window where it tells of one."""

    source: str
    site: str | None
    device: str | None = None
    window: tuple[str, str] | None = None  # a stream and the window's name


class Errand(NamedTuple):
    """Who asks which source for what."""

    client: str
    source: str
    operation: str


class Topics:
    """Builds and reads the topics below one base topic."""

    def __init__(self, base: str) -> None:
        self.base = base

    def bridge(self, figure: str) -> str:
        return f"{self.base}/bridge/{figure}"

    def source(self, source: str, figure: str) -> str:
        return f"{self.base}/{source}/{figure}"

    def info(self, source: str, site: str) -> str:
        return f"{self.base}/{source}/{site}/info"

    def price(self, source: str, site: str, stream: str, figure: str) -> str:
        return f"{self.base}/{source}/{site}/price/{stream}/{figure}"

    def window(self, source: str, site: str, stream: str, name: str) -> str:
        return f"{self.base}/{source}/{site}/price/{stream}/window/{name}"

    def window_active(self, source: str, site: str, stream: str, name: str) -> str:
        return f"{self.window(source, site, stream, name)}/active"

    def cost(self, source: str, site: str, stream: str, period: str) -> str:
        return f"{self.base}/{source}/{site}/cost/{stream}/{period}"

    def reading(self, source: str, site: str, meter: str, quantity: str) -> str:
        return f"{self.base}/{source}/{site}/reading/{meter}/{quantity}"

    def account(self, source: str, site: str, figure: str) -> str:
        return f"{self.base}/{source}/{site}/account/{figure}"

    def schedule(self, source: str, site: str, kind: str) -> str:
        return f"{self.base}/{source}/{site}/schedule/{kind}"

    def dispatch(self, source: str, site: str, device: str) -> str:
        return f"{self.base}/{source}/{site}/dispatch/{device}"

    def dispatch_active(self, source: str, site: str, device: str) -> str:
        return f"{self.dispatch(source, site, device)}/active"

    def live(self, source: str, site: str, quantity: str) -> str:
        return f"{self.base}/{source}/{site}/live/{quantity}"

    def event(self, source: str, site: str) -> str:
        return f"{self.base}/{source}/{site}/event"

    def plan(self, client: str, name: str) -> str:
        return f"{self.base}/plan/{client}/{name}"

    def plan_active(self, client: str, name: str) -> str:
        return f"{self.plan(client, name)}/active"

    @property
    def commands(self) -> str:
        """The filter that every command matches."""
        return f"{self.base}/command/+/+/+"

    def command(self, topic: str) -> Errand | None:
        """Return who asks whom for what, or None where `topic` is no command's."""
        match topic.removeprefix(f"{self.base}/").split("/"):
            case ["command", client, source, operation] if client and len(client.encode()) <= LONGEST_CLIENT:
                return Errand(client, source, operation)
        return None

    def command_of(self, errand: Errand) -> str:
        """Return the topic of the command that `command` reads."""
        return f"{self.own_commands(errand.client)}{errand.source}/{errand.operation}"

    def own_commands(self, client: str) -> str:
        """Return what every topic begins with on which this client may ask."""
        return f"{self.base}/command/{client}/"

    def response(self, errand: Errand) -> str:
        return f"{self.base}/response/{errand.client}/{errand.source}/{errand.operation}"

    def responses(self, client: str) -> str:
        """Return what every topic begins with on which this client may be answered."""
        return f"{self.base}/response/{client}/"

    def place(self, topic: str) -> Place | None:
        """Return the source (and site, device, window) that `topic` belongs to, or None where it is the bridge's or not ours."""
        below = topic.removeprefix(f"{self.base}/")
        source, *rest = below.split("/")
        if below == topic or not rest or source in RESERVED_SOURCES:
            return None
        match rest:
            case [site, "dispatch", device, *_]:
                return Place(source, site, device)
            case [site, "price", stream, "window", window, *_]:
                return Place(source, site, window=(stream, window))
            case [site, _, *_]:
                return Place(source, site)
        return Place(source, None)


def is_warps(topic: str) -> bool:
    """Tell whether `topic` is one on which a WARP charger is told prices."""
    return topic.endswith(f"/{WARP_PRICES}")


class DiscoveryTopics:
    """Builds and reads the topics that tell Home Assistant what there is: those of one installation, below one prefix."""

    def __init__(self, prefix: str, installation: str) -> None:
        """`installation` begins the name of each of its devices."""
        self.prefix, self.installation = prefix, installation

    def device(self, device: str) -> str:
        return f"{self.prefix}/device/{device}/config"

    def entity(self, platform: str, device: str, entity: str) -> str:
        return f"{self.prefix}/{platform}/{device}/{entity}/config"

    @property
    def status(self) -> str:
        return f"{self.prefix}/status"

    def is_ours(self, topic: str) -> bool:
        """Tell whether `topic` is one of this installation's, below this prefix or an earlier one."""
        match topic.split("/")[1:]:
            case [*_, "device", device, "config"] | [*_, device, _, "config"]:
                return device == self.installation or device.startswith(f"{self.installation}_")
        return False


def fold(name: str) -> str:
    """Return `name` as a topic level: `Holm Street` → `holm-street`, `maxCapacity` → `max-capacity`; may be empty."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.translate(_UNDECOMPOSED))
    letters = (letter for letter in unicodedata.normalize("NFKD", spaced) if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", "".join(letters).lower()).strip("-")[:LONGEST_LEVEL].rstrip("-")


def distinct(name: str, taken: Container[str]) -> str:
    """Return `name`, or `name-2`, `name-3`, … where it is taken."""
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def is_publishable(topic: str) -> bool:
    """Tell whether any broker takes `topic`; on one without a name or with control characters (MQTT 5 §1.5.4) it may hang up."""
    no_text = _NO_TEXT.search(topic) or any(ord(letter) & 0xFFFE == 0xFFFE for letter in topic)  # noqa: PLR2004
    return 0 < len(topic.encode("utf-8", "replace")) <= LONGEST_TOPIC and topic.count("/") < MOST_LEVELS and not no_text

"""The broker: whether it is found, takes the login, and lets us do what the bridge does: write, and read commands.

Both are really tried, by empty messages that are not retained: what is allowed stands in the broker's access list alone.
"""

from collections.abc import Iterator

from bridge.check.finding import Finding, well
from bridge.check.names import Look, address, looked_up
from bridge.settings import Settings
from bridge.topics import WARP_PRICES, DiscoveryTopics, Errand, Topics
from bridge.transport.mqtt.trial import Trial, tried

CLIENT = "kwh2mqtt-check"
ASKED = "check"  # an operation that there is not: a bridge that runs says so, to nobody


async def examined(settings: Settings, installation: str, look: Look = address) -> list[Finding]:
    """Return what is found of the broker, and of each thing that the bridge whose `installation` it is has to do there."""
    mqtt = settings.mqtt
    named = await looked_up([("mqtt.host", mqtt.host)], look)
    if not well(named):
        return [*named, Finding("fault", "mqtt", f"{mqtt.address}: not tried, for its host is not found")]
    topics = Topics(mqtt.base_topic)
    writes = dict(written(settings, topics, installation))
    births = DiscoveryTopics(settings.home_assistant.prefix, installation).status if settings.home_assistant else None
    trial = await tried(mqtt, writes, topics.commands, topics.command_of(Errand(CLIENT, "bridge", ASKED)), births)
    if trial.trouble is not None:
        return [*named, Finding("fault", "mqtt", f"{mqtt.address}: {trial.trouble}")]
    connected = Finding("ok", "mqtt", f"connected to {mqtt.address} (MQTT {mqtt.protocol})")
    return [*named, connected, *_writing(writes, trial), *_reading(topics.commands, births, trial)]


def written(settings: Settings, topics: Topics, installation: str) -> Iterator[tuple[str, str]]:
    """Yield topics on which nobody is told anything by an empty message, each with what an access list has to allow for it."""
    below = f"{topics.base}/#"
    yield topics.bridge(ASKED), below
    for name in settings.sources:
        yield topics.source(name, ASKED), below
    yield topics.response(Errand(CLIENT, "bridge", ASKED)), below
    if settings.home_assistant:
        prefix = settings.home_assistant.prefix
        yield DiscoveryTopics(prefix, installation).device(f"{installation}_{ASKED}"), f"{prefix}/#"
    for charger in settings.readers.warp.values():
        topic = f"{charger.topic}/{WARP_PRICES}"
        yield topic, topic


def _writing(writes: dict[str, str], trial: Trial) -> Iterator[Finding]:
    """Yield a finding for each line that an access list needs."""
    for allowed in dict.fromkeys(writes.values()):
        topics = [topic for topic, line in writes.items() if line == allowed]
        refused = [topic for topic in topics if topic in trial.unwritable]
        if refused:
            why = trial.unwritable[refused[0]]
            mend = f"add `topic write {allowed}` for this login to the broker's access list"
            yield Finding("fault", "mqtt.write", f"the broker does not let us write to {', '.join(refused)} ({why}); {mend}")
        elif trial.is_told:
            yield Finding("ok", "mqtt.write", f"may write to {allowed}")
        else:
            text = f"with MQTT 3.1.1 no broker says whether we may write to {allowed}; where topics stay empty, look there"
            yield Finding("ok", "mqtt.write", text)


def _reading(commands: str, births: str | None, trial: Trial) -> Iterator[Finding]:
    for topic_filter in filter(None, (commands, births)):
        line = topic_filter.removesuffix("/+/+/+") + ("/#" if topic_filter == commands else "")
        mend = f"add `topic read {line}` for this login to the broker's access list"
        if (why := trial.unreadable.get(topic_filter)) is not None:
            yield Finding("fault", "mqtt.read", f"the broker does not let us read {topic_filter} ({why}); {mend}")
        elif topic_filter == commands and trial.heard is False:
            yield Finding("fault", "mqtt.read", f"what is sent to {commands} does not reach us, so no command would; {mend}")
        else:
            proof = "" if topic_filter == commands and trial.heard else ", as far as the broker says"
            yield Finding("ok", "mqtt.read", f"may read {topic_filter}{proof}")

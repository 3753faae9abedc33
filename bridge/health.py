"""`kwh2mqtt health`: is the bridge alive, and does every source do what it can? For a container's HEALTHCHECK and for people.

It looks at what the bridge tells on its topics, so it can be asked on any machine. A source that waits for its provider is
excused: no restart of ours would bring it back.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.clock import Clock
from bridge.topics import Topics
from bridge.transport.mqtt.exchange import Unanswered, gathered
from bridge.transport.settings import MqttSettings

PATIENCE_S = 5.0
FRESH = timedelta(seconds=180)  # `bridge/health` comes every minute
OVERDUE = timedelta(minutes=10)  # so long after its time a poll that has not come is no wait any more
EXCUSED = ("unavailable", "timeout", "rate_limited")


async def health(mqtt: MqttSettings, clock: Clock, *, patience_s: float = PATIENCE_S) -> bool:
    """Print a line for all that is not well, or one that all is; return whether it is. Raises Unanswered: no broker."""
    topics = Topics(mqtt.base_topic)
    filters = [topics.bridge("#"), topics.source("+", "state"), topics.source("+", "health")]
    try:
        found = await gathered(mqtt, filters, lambda found: _is_whole(found, topics), patience_s)
    except Unanswered as error:
        raise type(error)(f"{error}; is the broker running, and may this login read {topics.bridge('#')}?") from None
    troubles = list(_troubles(found, topics, clock.now()))
    for line in troubles or ["ok"]:
        sys.stdout.write(f"{line}\n")
    return not troubles


def _is_whole(found: Mapping[str, bytes], topics: Topics) -> bool:
    wanted = [topics.bridge(figure) for figure in ("state", "info", "health")]
    wanted += [topics.source(source, figure) for source in _sources(found, topics) for figure in ("state", "health")]
    return all(topic in found for topic in wanted)


def _sources(found: Mapping[str, bytes], topics: Topics) -> Mapping[str, Any]:
    told = _read(found, topics.bridge("info")).get("sources")
    return told if isinstance(told, dict) else {}


def _troubles(found: Mapping[str, bytes], topics: Topics, moment: datetime) -> Iterator[str]:
    state = found.get(topics.bridge("state"), b"").decode("utf-8", "replace")
    if state != "online":
        mend = "start it with kwh2mqtt run; where it runs, compare its broker and base_topic"
        yield f"the bridge is {state or 'not there'} ({topics.bridge('state')}): {mend}"
        return
    at = _moment(_read(found, topics.bridge("health")).get("at"))
    if at is None:
        yield f"the bridge tells nothing on {topics.bridge('health')}: it has just begun, or waits for its clock to be set"
    elif moment - at > FRESH:
        yield f"the bridge is stuck: its last sign of life is {int((moment - at).total_seconds())} s old"
    sources = _sources(found, topics)
    if not sources:
        yield f"the bridge names no source on {topics.bridge('info')}"
    for source in sources:
        if (trouble := _trouble(found, topics, source, moment)) is not None:
            yield f"{source}: {trouble}"


def _trouble(found: Mapping[str, bytes], topics: Topics, source: str, moment: datetime) -> str | None:
    """Return what is wrong with a source, or None where it is online or excused."""
    if found.get(topics.source(source, "state")) == b"online":
        return None
    told = _read(found, topics.source(source, "health"))
    error = told.get("error") or {}
    due = _moment(told.get("next_poll"))
    if due is not None and moment - due > OVERDUE:
        return f"was to be asked at {due:%H:%M:%S} UTC, and was not"
    if error.get("code") in EXCUSED:
        return None
    return f"{error['code']}: {error.get('message')}" if "code" in error else "has brought nothing yet"


def _read(found: Mapping[str, bytes], topic: str) -> Mapping[str, Any]:
    try:
        told = json.loads(found.get(topic, b"{}"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None

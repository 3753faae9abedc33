"""Commands as nobody ought to send them, and providers as nobody ought to be one: strategies for hypothesis."""

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.errors import (
    BudgetSpent,
    Denied,
    Malformed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TimedOut,
    Unauthenticated,
    Unreachable,
)
from bridge.models.message import Arrival

CLIENTS = ("wallbox", "button", "meter", "stranger", "*", "küche", "x" * 64)
SOURCES = ("home", "octopus", "tibber", "bridge", "*", "")
RESPONSES = (
    "kwh2mqtt/response/wallbox/x",
    "kwh2mqtt/response/wallbox2/x",
    "kwh2mqtt/response/wallbox/",
    "kwh2mqtt/bridge/state",
    "",
)

text = st.text(max_size=40)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | text | st.sampled_from(["2026-06-10T10:00:00Z", "7d", "home"])
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=8
)
instants = st.sampled_from([
    "2026-06-10T12:00:00Z", "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
]) | st.datetimes().map(lambda moment: f"{moment.isoformat()}+00:00")  # fmt: skip
idents = st.sampled_from(["1", "ev-1"]) | st.from_regex(r"[A-Za-z0-9:_.-]{1,128}", fullmatch=True)
sites = st.sampled_from(["holm-street", "cabin", "id-1", "nowhere", ""])
GOOD: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "home/prices": st.fixed_dictionaries({}, optional={"site": sites, "stream": text, "from": instants, "to": instants}),
    "home/sites": st.just({}),
    "home/refresh": st.just({}),
    "home/readings": st.fixed_dictionaries({}, optional={
        "site": sites, "meter": text, "from": instants, "to": instants, "first": st.integers(1, 1000), "after": text,
        "previous": st.from_regex(r"[1-9][0-9]{0,3}[mhdw]", fullmatch=True), "aggregation": text,
    }),
    "home/mine": st.fixed_dictionaries({"site": text | st.integers()}, optional={"first": st.integers(0, 100)}),
    "home/mine_too": st.fixed_dictionaries({"title": text, "share": st.floats(allow_nan=False)}),
    "octopus/boost_start": st.fixed_dictionaries({"device_id": idents}),
    "octopus/saving_session_join": st.fixed_dictionaries({"event_code": idents}),
    "octopus/meter_reading_send": st.fixed_dictionaries({"reading": st.integers(0, 10**8)}, optional={"site": sites}),
    "octopus/charge_preferences_set": st.fixed_dictionaries({
        "device_id": idents, "schedules": st.just([{"time": "07:00", "max": 80}]),
    }),
    "octopus/transactions": st.fixed_dictionaries({}, optional={"first": st.integers(0, 100), "after": text}),
    "octopus/balance": st.just({}),
    "tibber/notify": st.fixed_dictionaries({"title": text, "message": text}),
    "tibber/home_update": st.fixed_dictionaries({}, optional={"site": sites, "size": st.integers(), "type": text}),
    "tibber/consumption": st.fixed_dictionaries({}, optional={"site": sites, "last": st.integers(0, 1000)}),
}  # fmt: skip


class Anything(BaseModel):
    """An answer of a provider's."""

    data: Any


odd_values = json_values | st.sampled_from(
    [Decimal("1e400"), Decimal("0.1"), timedelta(days=1), "\ud800", b"\xff", {1: {2}}, object()]
)
outcomes = st.one_of(
    odd_values.map(lambda data: Anything(data=data)),
    st.sampled_from([
        Refused("no", reasons=("BC_LOW", "\ud800")), NotFound("no"), Denied("no"), Unauthenticated("no"), Malformed("no"),
        Unreachable("no"), TimedOut("no"), OutcomeUnknown("who knows"), RateLimited("no"), TimeoutError(), KeyError("x"),
        BudgetSpent("no", retry_after=timedelta(seconds=3)), RecursionError(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    ]),
)  # fmt: skip


class Sent(NamedTuple):
    """A command that arrives, whether its topic is one of a command, and what the provider makes of it."""

    arrival: Arrival
    outcome: object


def _body(args: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    ids = st.sampled_from(["1", "2"]) | st.integers(0).map(str) | st.text(min_size=1, max_size=64)
    fields = {"id": ids, "expires_at": instants, "dry_run": st.booleans(), "args": args}
    usual = st.fixed_dictionaries({"id": ids, "args": args})
    whole = st.fixed_dictionaries({}, optional={**fields, "odd": json_values}) | usual
    return (usual | whole).map(lambda body: json.dumps(body).encode())


def _mangled(payload: bytes) -> st.SearchStrategy[bytes]:
    at = st.integers(0, max(0, len(payload) - 1))
    cut = at.map(lambda place: payload[:place])
    bent = st.tuples(at, st.integers(0, 255)).map(lambda one: payload[: one[0]] + bytes([one[1]]) + payload[one[0] + 1 :])
    return cut | bent | st.just(payload + payload)


@st.composite
def commands(draw: st.DrawFn) -> Sent:
    """Draw a command: usual ones more often, so that there is something to be carried out."""
    errand = draw(st.sampled_from(sorted(GOOD)))
    client = draw(st.just("wallbox") | st.just("wallbox") | st.sampled_from(CLIENTS) | st.text(max_size=70))
    payload = draw(_body(GOOD[errand]))
    topic = f"kwh2mqtt/command/{client}/{errand}"
    about: dict[str, Any] = {"qos": draw(st.sampled_from([0, 1, 2]))}
    match draw(st.sampled_from(["usual", "usual", "usual", "topic", "payload", "properties", "properties", "mangled"])):
        case "topic":
            level = st.sampled_from(["kwh2mqtt", "command", *CLIENTS, *SOURCES, "prices"]) | st.text(max_size=300)
            pairs = st.tuples(st.sampled_from(SOURCES), text).map(lambda pair: f"{client}/{pair[0]}/{pair[1]}")
            topic = f"kwh2mqtt/{draw(st.lists(level, max_size=6).map('/'.join) | pairs.map('command/{}'.format))}"
        case "payload":
            payload = draw(
                _body(json_values) | json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)
            )
        case "mangled":
            payload = draw(_mangled(payload))
        case "properties":
            about["retained"] = draw(st.sampled_from([False, False, False, True]))
            about["response_topic"] = draw(st.none() | st.sampled_from(RESPONSES) | text.map(
                lambda tail: f"kwh2mqtt/response/{client}/{tail}"))  # fmt: skip
            about["correlation"] = draw(st.none() | st.binary(max_size=20))
            about["expires_in_s"] = draw(st.none() | st.integers(0, 2**32 - 1))
    return Sent(Arrival(topic, payload, **about), draw(outcomes))

"""The message bus of OctoMesh: an envelope becomes readings as configured; what is odd is left out, and told once."""

import json
import logging
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import Denied, Misconfigured, NotFound, TimedOut, Unauthenticated, Unreachable
from bridge.feed.listen import FIRST_BACK_OFF, LONGEST_BACK_OFF
from bridge.models.observation import Observation, ReadingsSeen, SitesSeen
from bridge.models.reading import Reading
from bridge.models.site import Site
from bridge.providers.octomesh.amqp import MOST_SERIES, AmqpSettings, DataFlow
from bridge.providers.octomesh.pipeline import CONTENT_TYPE, LARGEST, MESSAGE_TYPE, ValueSettings
from bridge.settings import load
from bridge.simulator.octomesh.errors import Dialect
from bridge.transport.amqp import CONNECT_S, MOST_KEPT, Delivery
from bridge.transport.settings import AmqpServerSettings
from tests.providers.operator import Operator
from tests.support import HandClock, Knowledge, gathered, utc

ROOT = Path(__file__).resolve().parents[2]
NOW = utc("2026-06-10T10:05")
RECEIVED, BEGUN = "2026-06-10T10:04:58.1234567Z", "2026-06-10T10:04:59Z"
SITE = Site(id="acme", title="acme", timezone="UTC")
KNOWN = Knowledge(sites={"acme": SITE})
PIPELINE = "65d5c447b420da3fb12381bc"
SERVER = {"host": "rabbit.example.com", "username": "edge", "password": "sesame-open"}
POWER = {"value": "$.power", "meter": "line-1", "quantity": "power", "unit": "kW"}


def settings(*values: dict[str, Any], **changed: Any) -> AmqpSettings:
    own = {"data_flow": "65D5C447b420da3fb12381bd", "pipeline": PIPELINE, "values": list(values) or [POWER]}
    return AmqpSettings.model_validate({**SERVER, **own, **changed})


def envelope(content: Any, **message: Any) -> dict[str, Any]:
    """Return what MassTransit makes of a message of OctoMesh's."""
    pipeline = {"ckTypeId": "System.Communication/Pipeline", "rtId": PIPELINE}
    times = {"transactionStartedDateTime": BEGUN, "externalReceivedDateTime": None}
    own = {"tenantId": "acme", "dataFlowRtId": "1", "pipelineRtEntityId": pipeline, "value": json.dumps(content), **times}
    return {
        "messageId": "0a0a0000-0000-0000-0000-08dc00000001",
        "destinationAddress": "rabbitmq://rabbit/octo::com::dataflow-acme-1?type=topic",
        "messageType": [MESSAGE_TYPE, "urn:message:Meshmakers.Octo.Communication.Contracts.MessageObjects:PipelineData"],
        "message": own | message,
        "sentTime": BEGUN,
        "headers": {},
        "host": {"machineName": "adapter"},
    }


def sent(content: Any, key: str = PIPELINE, **message: Any) -> Delivery:
    return Delivery(key, CONTENT_TYPE, json.dumps(envelope(content, **message)).encode())


class Line:
    """A broker that has these deliveries to give."""

    def __init__(self, *deliveries: Delivery) -> None:
        self._deliveries = deliveries
        self.asked: list[tuple[str, list[str]]] = []
        self.left = False

    @asynccontextmanager
    async def __call__(
        self, settings: AmqpServerSettings, exchange: str, routing_keys: Sequence[str]
    ) -> AsyncIterator[AsyncGenerator[Delivery, None]]:
        self.asked.append((exchange, list(routing_keys)))
        yield self._given()
        self.left = True

    async def _given(self) -> AsyncGenerator[Delivery, None]:
        for delivery in self._deliveries:
            yield delivery


async def heard(given: AmqpSettings, *deliveries: Delivery, known: Knowledge = KNOWN) -> list[Observation]:
    flow = DataFlow(given, "mesh", "Acme", SITE, HandClock(NOW), Line(*deliveries))
    return await gathered(flow.listen(known))


async def values(given: AmqpSettings, *deliveries: Delivery) -> list[Reading]:
    first, *others = await heard(given, *deliveries)
    assert first == ReadingsSeen("acme", ())  # says that the line stands
    return [reading for other in others if isinstance(other, ReadingsSeen) for reading in other.readings]


# what is heard


async def test_a_value_of_a_message_is_a_reading() -> None:
    assert await values(settings(), sent({"power": 1450.20})) == [
        Reading(meter="line-1", quantity="power", value=Decimal("1450.2"), unit="kW", at=utc(BEGUN.rstrip("Z")))
    ]


async def test_everything_may_stand_in_the_message() -> None:
    row = {
        "each": "$.data.items", "value": "$.v.0", "meter": "$.meter.name", "quantity": "$.kind", "unit": "$.unit", "time": "$.t",
    }  # fmt: skip
    items = [
        {"v": [21.5, 0], "meter": {"name": "Ofen 3"}, "kind": "flowTemperature", "unit": "°C", "t": "2026-06-10T12:00:00+02:00"},
        {"v": ["Idle"], "meter": {"name": 7}, "kind": "state", "unit": "1", "t": "2026-06-10T10:01:00.1234567"},
    ]
    assert await values(settings(row), sent({"data": {"items": items}})) == [
        Reading(meter="ofen-3", quantity="flow-temperature", value=Decimal("21.5"), unit="°C", at=utc("2026-06-10T10:00:00")),
        Reading(meter="7", quantity="state", other="Idle", unit="1", at=utc("2026-06-10T10:01:00.123456")),
    ]


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({"externalReceivedDateTime": RECEIVED}, utc("2026-06-10T10:04:58.123456")),
        ({}, utc("2026-06-10T10:04:59")),
        ({"transactionStartedDateTime": None}, NOW),
    ],
    ids=["received", "begun", "arrived"],
)
async def test_a_message_holds_since_it_was_received_or_the_run_began_or_it_came(times: dict[str, Any], at: datetime) -> None:
    (reading,) = await values(settings(), sent({"power": 1}, **times))
    assert reading.at == at


async def test_each_pipeline_has_its_values() -> None:
    volume = {"value": "$", "meter": "line-2", "quantity": "volume", "pipeline": "p2"}
    given = settings(POWER, volume)
    found = await values(given, sent({"power": 1}), sent([2, None, 3], "p2"), sent({"power": 4}, "p3"))
    assert [f"{reading.meter} {reading.value} {reading.unit}" for reading in found] == [
        "line-1 1 kW",
        "line-2 2 None",
        "line-2 3 None",
    ]


@pytest.mark.parametrize(("prefix", "exchange"), [(None, ""), ("stage", "stage:")])
async def test_what_is_bound_is_every_configured_pipeline_of_the_data_flow(prefix: str | None, exchange: str) -> None:
    line = Line()
    given = settings(POWER, {**POWER, "pipeline": "p2"}, POWER, prefix=prefix)
    await gathered(DataFlow(given, "mesh", "Acme", SITE, HandClock(NOW), line).listen(KNOWN))
    assert line.asked == [(f"{exchange}octo::com::dataflow-acme-65d5c447b420da3fb12381bd", [PIPELINE, "p2"])]
    assert line.left


async def test_it_can_be_tried_without_hearing_anything() -> None:
    line = Line(sent({"power": 1}))
    await DataFlow(settings(), "mesh", "acme", SITE, HandClock(NOW), line).reach()
    assert (len(line.asked), line.left) == (1, True)


async def test_the_tenant_is_told_of_where_no_poll_has_found_it() -> None:
    first, *_ = await heard(settings(), known=Knowledge())
    assert first == SitesSeen((SITE,), complete=False)


@given(
    number=st.decimals(-(10**8), 10**8, places=6),
    moment=st.datetimes(datetime(2025, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001 - the time zone is added
    offset=st.integers(-12, 14),
)
async def test_a_number_and_a_time_come_through_unchanged(number: Decimal, moment: datetime, offset: int) -> None:
    at = moment.replace(tzinfo=timezone(timedelta(hours=offset)))
    body = json.dumps(envelope(None)).replace('"null"', json.dumps(f'{{"power": {number}, "t": "{at.isoformat()}"}}'))
    (reading,) = await values(settings({**POWER, "time": "$.t"}), Delivery(PIPELINE, CONTENT_TYPE, body.encode()))
    assert (reading.value, reading.at) == (number if abs(number) >= Decimal("1e-12") else 0, at.astimezone(UTC))


# what is odd

GOOD = sent({"power": 9})


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Delivery(PIPELINE, "application/json", GOOD.body), f"a message is left out: its content type is not {CONTENT_TYPE}"),
        (Delivery(PIPELINE, None, GOOD.body), f"a message is left out: its content type is not {CONTENT_TYPE}"),
        (Delivery(PIPELINE, CONTENT_TYPE, b"\xff{"), "a message is left out: UnicodeDecodeError"),
        (Delivery(PIPELINE, CONTENT_TYPE, b"{"), "a message is left out: JSONDecodeError"),
        (Delivery(PIPELINE, CONTENT_TYPE, b"[]"), "a message is left out: TypeError"),
        (Delivery(PIPELINE, CONTENT_TYPE, b"{}"), "a message is left out: there is no 'messageType'"),
        (Delivery(PIPELINE, CONTENT_TYPE, b"[" * 100_000), "a message is left out: RecursionError"),
        (Delivery(PIPELINE, CONTENT_TYPE, b" " * (LARGEST + 1)), f"a message is left out: it has more than {LARGEST} bytes"),
        (
            Delivery(PIPELINE, CONTENT_TYPE, b'{"messageType": ["urn:message:Other"], "message": {}}'),
            f"a message is left out: its type is not {MESSAGE_TYPE}",
        ),
        (sent(0, value=None), "a message is left out: TypeError"),
        (sent(0, value="sesame"), "a message is left out: JSONDecodeError"),
        (sent(0, value='{"power": NaN}'), "a message is left out: it holds a number that JSON does not know"),
        (sent({"power": 1}, transactionStartedDateTime="0001-01-01T00:00:00"), "a message is left out: it is of a time long ago"),
        (sent({"energy": 1}), "$.power of a message is left out: there is no 'power'"),
        (sent("text"), "$.power of a message is left out: TypeError"),
        (sent({"power": 10**30}), "$.power of a message is left out: ValueError"),
    ],
)
async def test_an_odd_message_costs_itself_and_one_line_in_the_log(
    odd: Delivery, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert [reading.value for reading in await values(settings(), odd, GOOD, odd, GOOD)] == [9, 9]
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == [f"mesh: {why}"]


async def test_one_odd_item_costs_itself(caplog: pytest.LogCaptureFixture) -> None:
    row = {**POWER, "meter": "$.m", "time": "$.t"}
    times = ["2026-06-10T10:00:00Z", "yesterday", "2026-06-10T10:00:00Z"]
    items = [{"power": number, "m": name, "t": t} for number, (name, t) in enumerate(zip(("a", "b", "…"), times, strict=True))]
    assert [reading.meter for reading in await values(settings(row), sent(items))] == ["a"]
    assert [record.getMessage() for record in caplog.records] == [
        "mesh: $.power of a message is left out: ValueError",
        "mesh: $.power of a message is left out: a name has neither letters nor digits",
    ]


async def test_what_names_its_meters_anew_for_ever_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    items = [{"power": 1, "id": f"meter-{number}"} for number in range(MOST_SERIES + 5)]
    found = await values(settings({**POWER, "meter": "$.id"}), sent(items), sent(items))
    assert len({reading.meter for reading in found}) == MOST_SERIES
    assert len(found) == 2 * MOST_SERIES
    (record, *others) = (record for record in caplog.records if record.levelno >= logging.INFO)
    assert (record.getMessage(), others) == ("mesh: a further meter or quantity is left out: there are 1000 already", [])


KEYS = st.sampled_from(["power", "t", "messageType", "message", "value"])
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@given(JSON)
async def test_no_message_breaks_the_line(content: Any) -> None:
    whole = Delivery(PIPELINE, CONTENT_TYPE, json.dumps(content).encode())
    row = {**POWER, "each": "$.value", "value": "$.power.0", "time": "$.t"}
    assert (await values(settings(row), whole, sent(content), sent({"value": {"power": [9], "t": BEGUN}})))[-1].value == 9


# the settings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"values": []}, "at least 1 item"),
        ({"values": [{**POWER, "value": "power"}]}, "must be a path such as $.meter.power"),
        ({"values": [{**POWER, "value": "$."}]}, "must be a path such as $.meter.power"),
        ({"values": [{**POWER, "time": "$..t"}]}, "must be a path such as $.meter.power"),
        ({"values": [{**POWER, "meter": "…"}]}, "must be a name, or a path such as $.meter.name"),
        ({"values": [{**POWER, "path": "$.power"}]}, "Extra inputs are not permitted"),
        ({"pipeline": None}, "pipeline is missing: give one here, or one to each of the values"),
        ({"pipeline": "#"}, "must be an id, without blanks and wildcards"),
        ({"data_flow": ""}, "at least 1 character"),
    ],
)
def test_what_cannot_be_is_refused_without_the_password(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**wrong)
    assert words in str(caught.value)
    assert "sesame-open" not in str(caught.value)


def test_the_values_may_come_from_the_environment_as_json() -> None:
    assert settings(values=json.dumps([POWER])) == settings()


CONFIGURATION = """
[sources.mesh]
provider = "octomesh"
url = "https://assets.example.com"
identity_url = "https://connect.example.com"
tenant = "acme"
client_id = "edge"
client_secret = "client-word"
[sources.mesh.amqp]
host = "rabbit.example.com"
username = "edge"
data_flow = "1"
pipeline = "2"
[[sources.mesh.amqp.values]]
value = "$.power"
meter = "line-1"
quantity = "power"
"""


def written(folder: Path, text: str) -> Path:
    (file := folder / "bridge.toml").write_text(text)
    file.chmod(0o600)
    return file


def test_the_password_is_a_secret_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KWH2MQTT_SECRETS_DIRECTORY", str(tmp_path))
    (tmp_path / "sources.mesh.amqp.password").write_text("file-word\n")
    assert load(written(tmp_path, CONFIGURATION)).secrets() == ["client-word", "file-word"]
    monkeypatch.setenv("KWH2MQTT_SOURCES__MESH__AMQP__PASSWORD", "variable-word")
    assert load(written(tmp_path, CONFIGURATION)).secrets() == ["client-word", "variable-word"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("quantity =", "quantty =", "values.0.quantty: is not a known key; did you mean quantity?"),
        ("host =", "hots =", "hots: is not a known key; did you mean host?"),
        ('"$.power"', '"power"', "values.0.value: is wrong: must be a path such as $.meter.power; correct its value"),
        ("[sources", "[sources", "password: is missing; add password = …, or the secret file sources.mesh.amqp.password"),
    ],
)
def test_a_fault_of_the_section_names_the_key_and_the_mend(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load(written(tmp_path, CONFIGURATION.replace(old, new)))
    assert f"bridge.toml: sources.mesh.amqp.{fault}" in str(caught.value).replace('"…"', "…")


async def test_a_source_without_the_section_listens_to_nothing() -> None:
    operator = Operator(Dialect.DOCUMENTED)
    assert await gathered(operator.source.listen(operator.known)) == []


def test_without_the_extra_the_configuration_says_what_to_install(tmp_path: Path) -> None:
    whole = CONFIGURATION.replace("username", 'password = "sesame-open"\nusername')
    absent = "sys.modules['aio_pika'] = None"  # as where it is not installed
    program = f"import sys; {absent}; from bridge.cli import main; main()"
    arguments = ["--config", str(written(tmp_path, whole)), "check"]
    ran = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "sources.mesh.amqp: is wrong: it needs the extra amqp: pip install 'kwh2mqtt[amqp]'; " in ran.stdout + ran.stderr
    assert "sesame-open" not in ran.stdout + ran.stderr


# the page about it

CODES = {error.code for error in (Unreachable, TimedOut, Unauthenticated, Denied, NotFound)}
PAGE = (ROOT / "docs" / "octomesh-amqp.md").read_text("utf-8")


def block(language: str, mark: str) -> str:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (one,) = (text for text in found if mark in text)
    return one


async def test_the_page_shows_what_is_published_of_what_it_shows() -> None:
    shown = AmqpSettings.model_validate(tomllib.loads(block("toml", "amqp"))["sources"]["mesh"]["amqp"])
    (found,) = await values(shown, sent(json.loads(block("json", "meters")), shown.pipelines[0]))
    assert (found.meter, found.quantity) == ("press-1", "power")
    assert "`mesh/my-tenant/reading/press-1/power`" in PAGE
    assert Reading(meter="press-1", quantity="power", **json.loads(block("json", '"value"'))) == found


def test_the_page_names_every_key_and_limit() -> None:
    keys = {*AmqpSettings.model_fields, *ValueSettings.model_fields}
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`(\w+)`", row)} - keys == CODES
    assert keys <= {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert f"up to {MOST_KEPT:,} messages" in PAGE
    assert f"{MOST_SERIES:,} pairs" in PAGE
    assert f"larger than {LARGEST // 2**20} MiB" in PAGE
    assert settings().exchange("{tenant}").replace(settings().data_flow.lower(), "{data_flow}") in PAGE
    assert f"after {FIRST_BACK_OFF.seconds} s, then ever later up to {LONGEST_BACK_OFF.seconds // 60} minutes" in PAGE
    assert f"answer within {CONNECT_S:.0f} s" in PAGE

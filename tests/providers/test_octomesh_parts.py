"""Smaller parts of OctoMesh: names, limits, units, codes, what `introspect` checks, and what a user's document may do."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from bridge.errors import BudgetSpent, Denied, Failed, NotFound, Refused, Unauthenticated
from bridge.providers.base import Span
from bridge.providers.octomesh import wording
from bridge.providers.octomesh.codes import CODES
from bridge.providers.octomesh.limits import Limits, Window
from bridge.providers.octomesh.naming import camel, hint, pascal
from bridge.providers.octomesh.reach import GUARD
from bridge.providers.octomesh.units import FACTS as UNITS
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.plant import plant, rt_id
from bridge.transport.document import parsed, refusal
from bridge.transport.schema import findings, introspected
from tests.providers.operator import METER, NOON, STREAMS, Operator
from tests.support import FACTS, utc

MAIN = rt_id("65b1", 1)
both = pytest.mark.parametrize("dialect", list(Dialect))


def test_a_type_is_a_field_of_another_name_in_each_dialect() -> None:
    assert (pascal(METER), camel(METER)) == ("IndustryEnergyEnergyMeter", "industryEnergyEnergyMeter")
    assert camel("Basic/TreeNode") == "basicTreeNode"


def test_the_nearest_name_is_found_whatever_its_capitals() -> None:
    assert hint("Importedenergy", ["power", "importedEnergy"]) == "; the nearest is importedEnergy"
    assert hint("x", ["power", "importedEnergy"]) == ""


def test_the_limits_are_those_of_the_document_a_window_each() -> None:
    limits = Limits()
    for window, most in ((limits.queries, 100), (limits.writes, 50), (limits.uploads, 10)):
        for _ in range(most):
            window.take(NOON)
        with pytest.raises(BudgetSpent, match=f"{most} ") as caught:
            window.take(NOON + timedelta(seconds=20))
        assert caught.value.retry_after == timedelta(seconds=40)
        window.take(NOON + timedelta(seconds=60))


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    window = Window("writes", 1)
    window.take(NOON)
    window.take(NOON - timedelta(days=1))


@pytest.mark.skipif(not FACTS.is_dir(), reason="the facts folder is not here")
def test_the_units_are_those_of_the_construction_kit() -> None:
    told = json.loads((FACTS / "providers" / "fixtures" / "octomesh" / "units.json").read_text("utf-8"))
    assert {name.casefold(): unit for name, unit in told.items() if not name.startswith("_")} == UNITS


@pytest.mark.parametrize(
    "told", [None, {"items": None}, {"items": [None]}, {"items": [{"rtCkTypeId": METER, "attributes": None}]}]
)
def test_a_construction_kit_that_tells_nothing_tells_no_units(told: object) -> None:
    assert wording.units(told) == {}


def test_the_unit_of_an_attribute_is_found_whatever_its_capitals() -> None:
    facts = [{"key": "Symbol", "value": "P"}, {"key": "Unit", "value": "kW"}]
    attribute = {"attributeName": "Power", "attribute": {"metaData": facts}}
    assert wording.units({"items": [{"rtCkTypeId": METER, "attributes": {"items": [attribute]}}]}) == {(METER, "power"): "kW"}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAUTHORIZED", Unauthenticated),
        ("FORBIDDEN", Denied),
        ("ENTITY_NOT_FOUND", NotFound),
        ("VALIDATION_ERROR", Refused),
        ("CK_TYPE_NOT_FOUND", NotFound),
        ("ASSOCIATION_ERROR", Refused),
        ("ASSET1002", Failed),
        ("ASSET1003", Refused),
        ("ASSET1004", Refused),
        ("STREAMDATA_ARCHIVE_NOT_FOUND", NotFound),
    ],
)
def test_a_code_of_either_vocabulary_means_one_of_ours(code: str, kind: type[Exception]) -> None:
    assert CODES[code] is kind


@both
async def test_introspection_checks_what_is_sent_for_this_configuration(dialect: Dialect) -> None:
    operator = Operator(dialect)
    (endpoint,) = operator.source.endpoints()
    sdl = await introspected(endpoint.ask)
    assert findings(sdl, endpoint.documents) == []
    assert {name.split()[0] for name in endpoint.documents} == {
        "names", "entities", "newest", "entity", "entity_create", "entity_update", "entity_delete",
    }  # fmt: skip


@both
async def test_introspection_names_what_is_configured_and_not_there(dialect: Dialect) -> None:
    entity = {"type": METER, "attributes": ["nmae"], "stream": STREAMS[dialect], "stream_attributes": ["powr"]}
    (endpoint,) = Operator(dialect, (entity, {"type": "Industry.Energy/EnergyMetre"})).source.endpoints()
    found = findings(await introspected(endpoint.ask), endpoint.documents)
    texts = " ".join(finding.text for finding in found)
    assert len(found) == 3
    for name in ("nmae", "powr", "EnergyMetre"):
        assert name in texts


@both
async def test_readings_of_the_past_are_the_points_of_the_meters_stream(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(meters=2, inverters=0))
    await operator.poll()
    span = Span(utc("2026-06-10T10:00"), utc("2026-06-10T10:05"), MAIN, "power", first=3)
    first = await operator.source.history("demo", span, operator.known, NOON)
    rest = await operator.source.history("demo", Span(span.start, span.end, MAIN, "power", 3, first.next), operator.known, NOON)
    readings = (*first.readings, *rest.readings)
    assert [reading.at for reading in readings] == [utc(f"2026-06-10T10:0{minute}") for minute in range(5)]
    assert {(reading.meter, reading.quantity) for reading in readings} == {(MAIN, "power")}
    assert rest.next is None


async def test_a_document_of_the_users_may_read_all_and_write_what_is_granted() -> None:
    query, write = parsed("{ runtime { x { y } } }"), parsed("mutation { runtime { x { y } } }")
    assert (refusal(query, GUARD.writes, GUARD.hidden), refusal(write, GUARD.writes, GUARD.hidden)) == (None, None)
    (endpoint,) = Operator(Dialect.ACTUAL).source.endpoints()
    assert endpoint.write is not None
    result = await endpoint.ask('{ runtime { runtimeEntities(ckId: "Basic/TreeNode", first: 1) { totalCount } } }', {})
    assert result.data == {"runtime": {"runtimeEntities": {"totalCount": len(plant().entities)}}}


def test_a_source_is_loaded_without_a_library_for_sign_ins_or_graphql() -> None:
    program = "import sys, bridge.providers.octomesh; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [name for name in ran.stdout.split() if name in ("graphql", "oauthlib", "jmespath")] == []

"""Every query and write of OctoMesh's document as a device's command, in both dialects: what it brings, or why it is refused."""

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BadRequest, NotFound, RateLimited, Refused
from bridge.providers.octomesh.execute import MOST_PAGES_HERE, PAGE_HERE, Commands
from bridge.providers.octomesh.operations import Entities
from bridge.simulator.octomesh.errors import Dialect
from bridge.simulator.octomesh.plant import plant, rt_id
from tests.providers.operator import ENERGY, METER, STREAMS, Operator

MAIN, SECOND, FIFTH = rt_id("65b1", 1), rt_id("65b1", 2), rt_id("65b1", 5)
HALL = rt_id("65a1", 1)
NOBODY = "0" * 24
SPAN = {"from": "2026-06-10T10:00:00Z", "to": "2026-06-10T10:05:00Z"}
DOCUMENTED, ACTUAL = Dialect.DOCUMENTED, Dialect.ACTUAL

both = pytest.mark.parametrize("dialect", list(Dialect))


def names(answer: Any) -> list[str]:
    return [entity["well_known_name"] for entity in answer["data"]["entities"]]


# queries


@both
async def test_entities_of_a_type_come_by_pages(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    first = await operator.command(tmp_path, "entities", type=METER, attributes=["name"], first=2)
    assert first["data"]["entities"] == [
        {"rt_id": MAIN, "type": METER, "well_known_name": "main-building-meter", "attributes": {"name": "Main Building Meter"}},
        {"rt_id": SECOND, "type": METER, "well_known_name": "meter-0002", "attributes": {"name": "Meter 2"}},
    ]
    assert (first["data"]["total"], first["data"]["filtered"]) == (12, None)
    found = names(first)
    following = first["data"]["next"]
    while following is not None:
        answer = await operator.command(tmp_path, "entities", type=METER, attributes=["name"], first=5, after=following)
        found += names(answer)
        following = answer["data"]["next"]
    assert len(found) == len(set(found)) == 12


@both
async def test_without_attributes_every_plain_one_comes(tmp_path: Path, dialect: Dialect) -> None:
    answer = await Operator(dialect).command(tmp_path, "entities", type=METER, first=1)
    (entity,) = answer["data"]["entities"]
    wanted = {DOCUMENTED: {"serialNumber", "status", "maxCapacity"}, ACTUAL: {"power", "importedEnergy", "machineState"}}
    assert wanted[dialect] <= entity["attributes"].keys()


@both
async def test_an_entity_comes_by_its_id_and_by_its_well_known_name(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    by_id = await operator.command(tmp_path, "entity", type=METER, rt_id=MAIN, attributes=["name"])
    by_name = await operator.command(tmp_path, "entity", type=METER, well_known_name="main-building-meter", attributes=["name"])
    assert by_id["data"] == by_name["data"]
    assert by_id["data"]["entity"]["attributes"] == {"name": "Main Building Meter"}


@both
@pytest.mark.parametrize("which", [{"rt_id": NOBODY}, {"well_known_name": "nobody"}])
async def test_an_entity_that_is_not_there_is_not_found(tmp_path: Path, dialect: Dialect, which: dict[str, str]) -> None:
    answer = await Operator(dialect).command(tmp_path, "entity", type=METER, **which)
    assert answer["error"]["code"] == "not_found"


FILTERS: list[tuple[dict[str, Any], list[str], str, str]] = [  # the filter, whom it lets through, who judges it in either dialect
    ({"name": {"eq": "Meter 3"}}, ["meter-0003"], "server", "server"),
    ({"name": {"contains": "ter 1"}}, ["meter-0010", "meter-0011", "meter-0012"], "server", "server"),
    ({"name": {"startsWith": "Main"}}, ["main-building-meter"], "server", "server"),
    ({"name": {"endsWith": "r 12"}}, ["meter-0012"], "server", "server"),
    ({"name": {"in": ["Meter 3", "Meter 4"]}}, ["meter-0003", "meter-0004"], "server", "server"),
    ({"rt_id": {"in": [MAIN, SECOND]}}, ["main-building-meter", "meter-0002"], "server", "server"),
    ({"rt_id": {"eq": SECOND}}, ["meter-0002"], "server", "server"),
    ({"well_known_name": {"eq": "meter-0004"}}, ["meter-0004"], "here", "server"),
    ({"OR": [{"name": {"eq": "Meter 3"}}, {"name": {"eq": "Meter 5"}}]}, ["meter-0003", "meter-0005"], "server", "here"),
    ({"AND": [{"name": {"contains": "r 1"}}, {"name": {"neq": "Meter 11"}}]}, ["meter-0010", "meter-0012"], "server", "server"),
    ({"name": {"startsWith": "Meter 1", "endsWith": "2"}}, ["meter-0012"], "server", "server"),
]  # fmt: skip


@both
@pytest.mark.parametrize(("wanted", "found", "documented", "actual"), FILTERS)
async def test_a_filter_brings_the_same_in_either_dialect_and_the_answer_says_who_judged_it(
    tmp_path: Path, dialect: Dialect, wanted: dict[str, Any], found: list[str], documented: str, actual: str
) -> None:
    answer = await Operator(dialect).command(tmp_path, "entities", type=METER, attributes=["name"], filter=wanted)
    assert names(answer) == found
    assert answer["data"]["filtered"] == (documented if dialect is DOCUMENTED else actual)
    assert answer["data"]["total"] == len(found)


async def test_the_documents_own_filter_runs_as_it_stands(tmp_path: Path) -> None:
    makers = [{"manufacturer": {"contains": "Siemens"}}, {"manufacturer": {"contains": "ABB"}}]
    wanted = {"AND": [{"status": {"eq": "Active"}}, {"OR": makers}, {"maxCapacity": {"gte": 100}}]}
    answer = await Operator(DOCUMENTED).command(tmp_path, "entities", type=METER, filter=wanted)
    assert answer["data"]["filtered"] == "server"
    assert all(entity["attributes"]["maxCapacity"] >= 100 for entity in answer["data"]["entities"])
    assert names(answer)


@pytest.mark.parametrize(("operator", "value"), [("gt", 20), ("gte", 20), ("lt", 20), ("lte", 20)])
async def test_numbers_are_compared_on_the_published_server(tmp_path: Path, operator: str, value: int) -> None:
    wanted = {"power": {operator: value}}
    answer = await Operator(ACTUAL).command(tmp_path, "entities", type=METER, attributes=["power"], filter=wanted)
    powers = [entity["attributes"]["power"] for entity in answer["data"]["entities"]]
    assert powers
    assert all(power > value if operator.startswith("g") else power < value for power in powers)


@both
async def test_what_is_filtered_here_pages_too(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    which = [{"well_known_name": {"startsWith": "meter-000"}}, {"well_known_name": {"eq": "nobody"}}]
    given = {"type": METER, "attributes": ["name"], "filter": {"OR": which}, "first": 5}
    first = await operator.command(tmp_path, "entities", **given)
    rest = await operator.command(tmp_path, "entities", **given, after=first["data"]["next"])
    assert (first["data"]["filtered"], first["data"]["total"], rest["data"]["next"]) == ("here", 8, None)
    assert names(first) + names(rest) == [f"meter-000{number}" for number in range(2, 10)]


@both
async def test_filtering_here_ends_after_ten_pages_and_says_what_to_do(dialect: Dialect) -> None:
    operator = Operator(dialect, plant=plant(meters=21, inverters=0))
    source = operator.source
    few = Commands(operator.given, source._mesh, source._commands._rest, page=2)
    anyone = {"OR": [{"well_known_name": {"eq": "a"}}, {"well_known_name": {"eq": "b"}}]}
    with pytest.raises(Refused, match="for 20 entities at the most; add a condition that the server can judge"):
        await few.execute("entities", Entities.model_validate({"type": METER, "filter": anyone}))
    assert (PAGE_HERE, MOST_PAGES_HERE) == (500, 10)


@both
async def test_entities_are_sorted(tmp_path: Path, dialect: Dialect) -> None:
    given = {"type": METER, "attributes": ["name"], "first": 2}
    down = await Operator(dialect).command(tmp_path, "entities", **given, order={"name": "desc"})
    up = await Operator(dialect).command(tmp_path, "entities", **given, order={"name": "asc"})
    assert (names(up)[0], names(down)[0]) == ("main-building-meter", "meter-0009")


@both
async def test_the_points_of_a_stream_come_oldest_first_and_end_before_the_end(tmp_path: Path, dialect: Dialect) -> None:
    operator, wanted = Operator(dialect), ["power", ENERGY[dialect]]
    answer = await operator.command(tmp_path, "history", type=STREAMS[dialect], rt_id=MAIN, attributes=wanted, first=3, **SPAN)
    points, following = answer["data"]["points"], answer["data"]["next"]
    rest = await operator.command(
        tmp_path, "history", type=STREAMS[dialect], rt_id=MAIN, attributes=wanted, first=3, after=following, **SPAN
    )
    points += rest["data"]["points"]
    assert [point["at"] for point in points] == [f"2026-06-10T10:0{minute}:00Z" for minute in range(5)]
    assert all(point["attributes"].keys() == set(wanted) for point in points)
    assert rest["data"]["next"] is None


@both
async def test_history_by_the_entities_type_is_that_of_its_configured_stream(dialect: Dialect) -> None:
    found = await Operator(dialect).execute("history", type=METER, rt_id=MAIN, attributes=["power"], **SPAN)
    assert len(found["points"]) == 5


# writes


@both
async def test_an_entity_is_created(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    given = {DOCUMENTED: {"serialNumber": "EM-2024-001", "manufacturer": "Siemens", "status": "Active"}}
    attributes = {"name": "New Energy Meter", **given.get(dialect, {"power": 1.5, "ampere": 2, "machineState": "on"})}
    answer = await operator.command(tmp_path, "entity_create", type=METER, well_known_name="new-meter-001", attributes=attributes)
    state = answer["data"]
    assert (state["well_known_name"], state["attributes"]["name"]) == ("new-meter-001", "New Energy Meter")
    there = await operator.execute("entity", type=METER, rt_id=state["rt_id"], attributes=["name"])
    assert there["entity"]["well_known_name"] == "new-meter-001"
    assert len(operator.mesh.written) == 1


@both
async def test_an_entity_is_updated(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    change = {DOCUMENTED: {"status": "Maintenance"}, ACTUAL: {"machineState": "Idle"}}[dialect]
    answer = await operator.command(tmp_path, "entity_update", type=METER, rt_id=SECOND, attributes=change)
    assert answer["data"]["rt_id"] == SECOND
    assert answer["data"]["attributes"] == {DOCUMENTED: {"status": "Maintenance"}, ACTUAL: {"machineState": "IDLE"}}[dialect]
    assert len(operator.mesh.written) == 1


@both
async def test_an_entity_is_deleted(tmp_path: Path, dialect: Dialect) -> None:
    operator = Operator(dialect)
    assert await operator.command(tmp_path, "entity_delete", type=METER, rt_id=FIFTH) == {"status": "ok", "data": {}}
    with pytest.raises(NotFound):
        await operator.execute("entity", type=METER, rt_id=FIFTH)


async def test_an_association_is_added_as_the_document_has_it_and_cannot_be_taken_away(tmp_path: Path) -> None:
    operator = Operator(DOCUMENTED)
    given = {"type": METER, "rt_id": SECOND, "association": "location", "targets": [HALL]}
    assert (await operator.command(tmp_path, "association_add", **given))["data"]["rt_id"] == SECOND
    assert len(operator.mesh.written) == 1
    refused = await operator.command(tmp_path, "association_remove", **given)
    assert refused["error"]["code"] == "refused"
    assert "no way to take an association away" in refused["error"]["message"]
    assert len(operator.mesh.written) == 1


async def test_an_association_is_added_and_taken_away_on_the_published_server(tmp_path: Path) -> None:
    operator = Operator(ACTUAL)
    target = {"rt_id": HALL, "type": "Basic/TreeNode"}
    given = {"type": METER, "rt_id": SECOND, "association": "relatesTo", "targets": [target]}
    await operator.command(tmp_path, "association_remove", **given)
    answer = await operator.command(tmp_path, "association_add", **given)
    assert answer["data"]["rt_id"] == SECOND
    untyped = await operator.command(tmp_path, "association_add", **{**given, "targets": [HALL]})
    assert "wants the type of a target" in untyped["error"]["message"]


# what is refused


async def test_a_grant_of_an_update_is_none_of_an_association(tmp_path: Path) -> None:
    operator = Operator(ACTUAL)
    target = [{"modOption": "CREATE", "target": {"rtId": HALL, "ckTypeId": "Basic/TreeNode"}}]
    answer = await operator.command(tmp_path, "entity_update", type=METER, rt_id=SECOND, attributes={"parent": target})
    assert answer["error"]["code"] == "refused"
    assert "is an association: use association_add" in answer["error"]["message"]
    assert operator.mesh.written == []


@both
async def test_wrong_names_are_told_with_the_nearest(dialect: Dialect) -> None:
    operator = Operator(dialect)
    with pytest.raises(BadRequest, match=r"attributes: .* has no attribute nmae; the nearest is name"):
        await operator.execute("entities", type=METER, attributes=["nmae"])
    with pytest.raises(Refused, match="has no attribute nmae; the nearest is name"):
        await operator.execute("entities", type=METER, filter={"nmae": {"eq": "x"}})
    with pytest.raises(Refused, match=r"takes no attribute nmae; the nearest is name"):
        await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"nmae": "x"})
    with pytest.raises(Refused, match="the nearest is"):
        await operator.execute("entities", type="Industry.Energy/EnergyMetre")
    assert operator.mesh.written == []


@both
async def test_an_update_of_what_is_not_there_is_refused_in_the_servers_words(dialect: Dialect) -> None:
    with pytest.raises((NotFound, Refused)):
        await Operator(dialect).execute("entity_update", type=METER, rt_id=NOBODY, attributes={"name": "x"})


@pytest.mark.parametrize(
    ("operation", "arguments", "told"),
    [
        ("entities", {"type": "no type"}, "type: must be a type of the construction kit"),
        ("entities", {"type": METER, "filter": {"name": {"like": "x"}}}, "there is no operator like"),
        ("entities", {"type": METER, "first": 501}, "first: "),
        ("entities", {"type": METER, "attributes": ["name } x {"]}, "attributes.0: must be the name"),
        ("entity", {"type": METER}, "by rt_id or by well_known_name"),
        ("entity", {"type": METER, "rt_id": "a", "well_known_name": "b"}, "one of them"),
        ("history", {"type": METER, "rt_id": MAIN, "from": SPAN["to"], "to": SPAN["from"]}, "to must be after from"),
        ("entity_update", {"type": METER, "rt_id": MAIN, "attributes": {}}, "attributes: "),
        ("file_upload", {"name": "a.pdf", "content": "no base64!"}, "must be base64"),
        ("file_upload", {"name": "../a.pdf", "content": "YQ=="}, "name: must be the name of a file"),
        ("library_upload", {"name": "a.json"}, "give library, or name and content"),
    ],
)
async def test_arguments_that_make_no_sense_are_refused_before_anything_is_sent(
    tmp_path: Path, operation: str, arguments: dict[str, Any], told: str
) -> None:
    operator = Operator(DOCUMENTED)
    answer = await operator.command(tmp_path, operation, **arguments)
    assert answer["error"]["code"] == "bad_request"
    assert told in answer["error"]["message"]
    assert not operator.mesh.requests


async def test_more_writes_than_the_document_allows_are_not_sent_and_the_wait_is_told() -> None:
    operator = Operator(DOCUMENTED)
    for number in range(50):
        await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": f"{number}"})
    with pytest.raises(RateLimited, match="50 writes a minute") as caught:
        await operator.execute("entity_update", type=METER, rt_id=SECOND, attributes={"name": "too many"})
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after.total_seconds() <= 60
    assert len(operator.mesh.written) == 50


async def test_a_type_that_has_no_mutation_of_its_own_is_refused_where_there_is_no_other(tmp_path: Path) -> None:
    answer = await Operator(DOCUMENTED).command(
        tmp_path, "entity_create", type="Industry.Energy/EnergyForecast", attributes={"name": "x"}
    )
    assert answer["error"]["code"] == "refused"
    assert "has no createRtIndustryEnergyEnergyForecast" in answer["error"]["message"]

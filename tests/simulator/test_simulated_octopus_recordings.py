"""What Kraken was seen to answer, asked for again as far as it is served: the same names and kinds of values."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from graphql import get_named_type, is_abstract_type, is_leaf_type

from bridge.simulator.octopus import OctopusFault
from bridge.simulator.octopus.homes import EXPORT, GAS, IMPORT, Agreement, Property
from bridge.simulator.octopus.schema import SCHEMA
from tests.simulator.conftest import Household

Recorded = Callable[[str], Any]

AGREEMENTS = tuple(Agreement(f"E-1R-{product}-A") for product in ("OUTGOING-FIX-12M-19-05-13", "INTELLI-VAR-22-10-14"))


@pytest.fixture
def household(household: Household) -> Household:
    """A home with the recorded tariffs."""
    points = (
        replace(EXPORT, agreements=AGREEMENTS[:1]),
        replace(IMPORT, agreements=AGREEMENTS[1:]),
        replace(GAS, agreements=(Agreement("G-1R-VAR-22-11-01-A"),)),
    )
    household.octopus.properties = (Property("2000001", "EC1A 1ZZ", "1 Example Street, London, EC1A 1ZZ", points),)
    return household


def kept(recorded: Any, type_: Any) -> Any:
    """Return a recorded value with those of its fields only that our schema has, and that something is known of."""
    inner = get_named_type(type_)
    if isinstance(recorded, list):
        return [kept(each, type_) for each in recorded]
    if not isinstance(recorded, dict) or is_leaf_type(inner):
        return recorded
    if is_abstract_type(inner):
        only = SCHEMA.get_possible_types(inner)[0].name
        recorded = {"__typename": only, **recorded}
        inner = SCHEMA.type_map[recorded["__typename"]]
    names = [name for name in recorded if name in inner.fields and knows(recorded[name], inner.fields[name].type)]
    inside = {name: kept(recorded[name], inner.fields[name].type) for name in names}
    return {**inside, **({"__typename": recorded["__typename"]} if "__typename" in recorded else {})}


def knows(recorded: Any, type_: Any) -> bool:
    """Tell whether a value says which fields to ask for."""
    return recorded not in (None, []) or is_leaf_type(get_named_type(type_))


def selection(value: Any) -> str:
    """Return what has to be asked for to get a value of this form; objects of several types need `__typename`."""
    examples = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]
    if not examples:
        return ""
    parts = ["__typename"] if any("__typename" in each for each in examples) else []
    for type_name in dict.fromkeys(each.get("__typename") for each in examples):
        those = [each for each in examples if each.get("__typename") == type_name]
        names = dict.fromkeys(name for each in those for name in each if name != "__typename")
        inside = " ".join(f"{name} {selection(merged([each.get(name) for each in those]))}" for name in names)
        parts.append(f"... on {type_name} {{ __typename {inside} }}" if type_name else inside)
    return "{ " + " ".join(parts) + " }"


def merged(values: list[Any]) -> Any:
    return [each for value in values for each in (value if isinstance(value, list) else [value])]


def form(value: Any) -> Any:
    """Reduce a value to names and kinds: objects of a list count once for each type, a null fits any kind."""
    if isinstance(value, dict):
        return {name: form(each) for name, each in sorted(value.items()) if name != "__typename"}
    if isinstance(value, list):
        return {"list of": {str(each.get("__typename")): form(each) for each in value if isinstance(each, dict)}}
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def fits(ours: Any, recorded: Any) -> bool:
    """Tell whether two forms agree; where one has null, nothing is known."""
    if isinstance(ours, dict) and isinstance(recorded, dict):
        return set(ours) == set(recorded) and all(fits(ours[name], recorded[name]) for name in ours)
    return "NoneType" in (ours, recorded) or ours == recorded


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("prototypeQueries__04", "viewer"),
        ("prototypeQueries__05", 'account(accountNumber: "A-DEMO0001")'),
        ("webUiQueriesMyEnergy__01", 'account(accountNumber: "A-DEMO0001")'),
    ],
)
def test_the_answer_has_the_recorded_form(household: Household, recorded_by_kraken: Recorded, name: str, root: str) -> None:
    [(field, recorded)] = recorded_by_kraken(name)["data"].items()
    expected = kept(recorded, SCHEMA.query_type.fields[field].type)  # type: ignore[union-attr]
    answer = household.ask(f"{{ {root} {selection(expected)} }}")[field]
    assert len(json.dumps(expected)) > 300
    assert fits(form(answer), form(expected))


@pytest.mark.parametrize("name", ["prototypeQueries__08", "prototypeQueries__09"])
def test_a_transaction_has_the_recorded_form(household: Household, recorded_by_kraken: Recorded, name: str) -> None:
    bills = recorded_by_kraken(name)["data"]["account"]["bills"]["edges"]
    recorded = [edge["node"] for bill in bills for edge in bill["node"].get("transactions", {}).get("edges", ())]
    expected = [kept(node, SCHEMA.type_map["TransactionType"]) for node in recorded]
    query = (
        f'{{ account(accountNumber: "A-DEMO0001") {{ transactions(first: 99) {{ edges {{ node {selection(expected)} }} }} }} }}'
    )
    ours = [edge["node"] for edge in household.ask(query)["account"]["transactions"]["edges"]]
    common = {"Charge", "Credit", "Payment"} & {node["__typename"] for node in expected}
    assert common >= {"Charge", "Credit"}
    for type_name in common:
        theirs = [node for node in expected if node["__typename"] == type_name]
        mine = [node for node in ours if node["__typename"] == type_name]
        assert set(mine[0]) == set().union(*theirs)
        assert all(fits(form(mine[0]), form(node)) for node in theirs)


def test_the_tariffs_of_a_product_have_the_recorded_form(household: Household, recorded_by_kraken: Recorded) -> None:
    products = recorded_by_kraken("prototypeQueries__07")["data"]["energyProducts"]["edges"]
    tariffs = [edge["node"] for product in products for edge in product["node"]["tariffs"]["edges"]]
    of_flexible = [node for node in tariffs if node["productCode"] == "VAR-22-11-01" and node["tariffCode"].startswith("E")]
    agreements = tuple(Agreement(node["tariffCode"]) for node in of_flexible)
    home = household.octopus.properties[0]
    household.octopus.properties = (replace(home, points=(replace(IMPORT, agreements=agreements),)),)
    query = (
        f"{{ viewer {{ accounts {{ ... on AccountType {{ electricityAgreements {{ tariff {selection(of_flexible)} }} }} }} }} }}"
    )
    [account] = household.ask(query)["viewer"]["accounts"]
    ours = [agreement["tariff"] for agreement in account["electricityAgreements"]]
    assert [node["tariffCode"] for node in ours] == [node["tariffCode"] for node in of_flexible]
    assert [fits(form(mine), form(theirs)) for mine, theirs in zip(ours, of_flexible, strict=True)] == [True, True]
    assert {node["__typename"] for node in ours} == {"StandardTariff", "DayNightTariff"}


@pytest.mark.parametrize("number", ["03", "04", "05"])
def test_the_agreements_of_a_meter_have_the_recorded_form(
    household: Household, recorded_by_kraken: Recorded, number: str
) -> None:
    recorded = recorded_by_kraken(f"webUiQueriesMyEnergy__{number}")["data"]["node"]
    query = "{ viewer { accounts { ... on AccountType { properties { "
    query += "electricityMeterPoints { meters { nodeId } } gasMeterPoints { meters { nodeId } } } } } } }"
    [account] = household.ask(query)["viewer"]["accounts"]
    fuel = "gas" if recorded["__typename"].startswith("Gas") else "electricity"
    node = account["properties"][0][f"{fuel}MeterPoints"][0]["meters"][0]["nodeId"]
    answer = household.ask(f'{{ node(id: "{node}") {{ __typename {selection([recorded])[1:-1]} }} }}')["node"]
    point, theirs = answer["meterPoint"], recorded["meterPoint"]
    assert set(point) == set(theirs)
    wanted = {name: value for name, value in theirs["agreements"][-1].items() if name != "tariff"}
    agreement = {name: point["agreements"][0][name] for name in wanted}
    assert fits(form(agreement), form(wanted))


def test_telemetry_can_be_empty_as_recorded(household: Household, recorded_by_kraken: Recorded) -> None:
    household.octopus.home_mini = False
    answer = household.ask('{ smartMeterTelemetry(deviceId: "00-11-22-33-44-55-66-01") { readAt } }')
    assert answer == recorded_by_kraken("webUiQueriesMyEnergy__02")["data"]


def test_a_sign_in_has_the_recorded_form(household: Household, recorded_by_kraken: Recorded) -> None:
    recorded = recorded_by_kraken("prototypeQueries__01")["data"]["obtainKrakenToken"]
    answer = household.sign_in()["data"]["obtainKrakenToken"]
    assert (set(answer), list(answer["payload"])) == (set(recorded), list(recorded["payload"]))
    assert form(answer) == form(recorded)


def error_of(household: Household, name: str) -> Any:
    """Provoke one of the recorded errors."""
    if name.startswith("bad_api_key"):
        return household.sign_in(APIKey="sk_live_other")["errors"]
    if name.startswith("no_auth_header"):
        return json.loads(household.post({"query": "{ viewer { id } }"}).body)["errors"]
    fault, query = {
        "rate_limited": (OctopusFault.RATE_LIMITED, ""),
        "unauthorized": (OctopusFault.UNAUTHORIZED_FIELD, '{ octoplusAccountInfo(accountNumber: "A-DEMO0001") { __typename } }'),
        "jwt_expired": (OctopusFault.EXPIRED, '{ account(accountNumber: "A-DEMO0001") { number } }'),
    }[name.partition("__")[0]]
    household.octopus.faults.next(fault)
    return (household.answer(query) if query else household.sign_in())["errors"]


@pytest.mark.parametrize(
    "name",
    [
        "bad_api_key__HA_issue_1731_2026-06-25",
        "rate_limited__HA_issue_1731_2026-06-25",
        "unauthorized__HA_issue_885_2024-05-25",
        "jwt_expired__marco-sparko_2024",
        "no_auth_header__official_docs",
    ],
)
def test_an_error_has_the_recorded_message_codes_and_form(household: Household, recorded_by_kraken: Recorded, name: str) -> None:
    [recorded] = recorded_by_kraken("errors_recorded")[name]
    [error] = error_of(household, name)
    assert list(error) == list(recorded)
    assert (error["message"], error["path"]) == (recorded["message"], recorded["path"])
    expected = recorded["extensions"]
    codes = [name for name in expected if name.startswith("error") and name != "errorDescription"]
    assert list(error["extensions"]) == list(expected)
    assert [error["extensions"][code] for code in codes] == [expected[code] for code in codes]
    assert bool(error["extensions"].get("errorDescription")) is bool(expected.get("errorDescription"))
    if "validationErrors" in expected:
        assert error["extensions"]["validationErrors"] == expected["validationErrors"]


def test_rest_misses_a_product_as_recorded(household: Household, recorded_by_kraken: Recorded) -> None:
    assert household.rest("/v1/products/NO-SUCH/") == (404, recorded_by_kraken("errors_recorded")["rest_404"])


def test_the_rows_of_go_have_the_recorded_form(household: Household, recorded_by_kraken: Recorded) -> None:
    recorded = recorded_by_kraken("evcc_issue_21011")["results"]
    rows = household.rates("E-1R-GO-VAR-22-10-14-C", "period_from=2026-06-08T23:30Z&period_to=2026-06-10T23:30Z")
    assert [list(row) for row in rows] == [list(row) for row in recorded]
    assert [form(row) for row in rows] == [form(row) for row in recorded]
    assert [row["valid_from"][11:] for row in rows] == [row["valid_from"][11:] for row in recorded]

"""Ranges and energy come in pages, capped without a word."""

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from bridge.simulator.tibber import Home
from tests.simulator.conftest import Customer

CABIN = Home("b7a9e0d4-91c8-4e1f-8a55-3b2d7c90e622", "Cabin", "Europe/Berlin", "EUR", "DE-LU", produces=True)
FLAT = Home("f3b0c1de-0000-4000-8000-000000000002", None, "Europe/Berlin", "EUR", "DE-LU", has_subscription=False)
CONNECTION = "pageInfo { startCursor endCursor hasNextPage hasPreviousPage count } edges { cursor node { from } }"


@pytest.fixture
def customer() -> Customer:
    customer = Customer(datetime(2026, 6, 10, 10, 40, tzinfo=UTC))
    customer.tibber.homes = (CABIN, FLAT)
    return customer


def cursor(moment: str) -> str:
    return b64encode(moment.encode()).decode()


def test_after_includes_the_slot_it_names_and_first_ends_the_page(customer: Customer) -> None:
    midnight = cursor("2026-06-08T00:00:00.000+02:00")
    fields = "pageInfo { startCursor endCursor hasNextPage hasPreviousPage count currency resolution } nodes { startsAt }"
    page = customer.range(f'resolution: QUARTER_HOURLY, first: 192, after: "{midnight}"', fields)
    assert page["pageInfo"] == {
        "startCursor": midnight,
        "endCursor": cursor("2026-06-09T23:45:00.000+02:00"),
        "hasNextPage": True,
        "hasPreviousPage": True,
        "count": 192,
        "currency": "EUR",
        "resolution": "QUARTER_HOURLY",
    }
    assert page["nodes"][0] == {"startsAt": "2026-06-08T00:00:00.000+02:00"}


def test_pages_backwards_join_without_overlap(customer: Customer) -> None:
    newest = customer.home(f"consumption(resolution: HOURLY, last: 5) {{ {CONNECTION} }}")["consumption"]
    before = newest["pageInfo"]["startCursor"]
    older = customer.home(f'consumption(resolution: HOURLY, last: 5, before: "{before}") {{ {CONNECTION} }}')
    starts = [edge["node"]["from"][:13] for edge in older["consumption"]["edges"] + newest["edges"]]
    assert starts == [f"2026-06-10T{hour:02}" for hour in range(2, 12)]
    assert [newest["pageInfo"]["hasNextPage"], older["consumption"]["pageInfo"]["hasNextPage"]] == [False, True]
    assert newest["edges"][0]["cursor"] == before


@pytest.mark.parametrize(("resolution", "cap"), [("QUARTER_HOURLY", 672), ("HOURLY", 744), ("DAILY", 31)])
def test_price_ranges_are_capped(customer: Customer, resolution: str, cap: int) -> None:
    for asked in ("last: 100000", "first: 100000"):
        assert customer.range(f"resolution: {resolution}, {asked}", "pageInfo { count }")["pageInfo"]["count"] == cap


@pytest.mark.parametrize(("resolution", "cap"), [("HOURLY", 744), ("DAILY", 31), ("WEEKLY", 52), ("MONTHLY", 12), ("ANNUAL", 1)])
def test_energy_is_capped(customer: Customer, resolution: str, cap: int) -> None:
    for kind in ("consumption", "production"):
        page = customer.home(f"{kind}(resolution: {resolution}, last: 1000) {{ nodes {{ from }} }}")[kind]
        assert len(page["nodes"]) == cap


def test_history_begins_somewhere(customer: Customer) -> None:
    page = customer.range("resolution: HOURLY, first: 1", "pageInfo { hasPreviousPage } nodes { startsAt }")
    assert page == {"pageInfo": {"hasPreviousPage": False}, "nodes": [{"startsAt": "2024-01-01T00:00:00.000+01:00"}]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("", 'You must provide a "first" or "last" value to properly paginate the "priceInfoRange" connection.'),
        ("first: 1, last: 1", '"first" and "last" exclude each other on the "priceInfoRange" connection.'),
        (
            'first: 1, before: "MjAyNg==", after: "MjAyNg=="',
            '"before" and "after" exclude each other on the "priceInfoRange" connection.',
        ),
        ("first: -1", '"first" and "last" must not be negative on the "priceInfoRange" connection.'),
        ('first: 1, after: "?"', "The cursor is not a Base64-encoded ISO 8601 time."),
    ],
)
def test_arguments_that_do_not_go_together_are_errors_of_the_field(customer: Customer, arguments: str, told: str) -> None:
    field = f"currentSubscription {{ id priceInfoRange(resolution: HOURLY, {arguments}) {{ nodes {{ total }} }} }}"
    status, answer = customer.ask(f'{{ viewer {{ home(id: "{CABIN.id}") {{ {field} }} }} }}')
    [error] = answer["errors"]
    assert (status, error["message"]) == (200, told)
    assert error["path"] == ["viewer", "home", "currentSubscription", "priceInfoRange"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert answer["data"]["viewer"]["home"]["currentSubscription"]["priceInfoRange"] is None
    assert answer["data"]["viewer"]["home"]["currentSubscription"]["id"]


def test_the_newest_two_hours_of_consumption_are_zero_and_cost_follows_the_price(customer: Customer) -> None:
    fields = "from consumption cost unitPrice unitPriceVAT"
    home = customer.home(f"consumption(resolution: HOURLY, last: 12) {{ nodes {{ {fields} }} }}")
    rows = home["consumption"]["nodes"]
    assert rows[-1]["from"] == "2026-06-10T11:00:00.000+02:00"
    assert [row["consumption"] > 0 for row in rows] == [True] * 10 + [False] * 2
    prices = customer.prices("HOURLY", "today { total }")["today"]
    assert [row["unitPrice"] for row in rows] == [row["total"] for row in prices[:12]]
    for row in rows:
        assert row["cost"] == pytest.approx(row["consumption"] * row["unitPrice"])


def test_production_is_null_at_night_and_nulls_can_be_left_out(customer: Customer) -> None:
    query = "production(resolution: HOURLY, last: 24{}) {{ pageInfo {{ count filtered }} nodes {{ production profit }} }}"
    whole = customer.home(query.format(""))["production"]
    nulls = [row for row in whole["nodes"] if row["production"] is None]
    assert whole["pageInfo"] == {"count": 24, "filtered": 0}
    assert 0 < len(nulls) < 24
    assert all(row["profit"] is None for row in nulls)
    kept = customer.home(query.format(", filterEmptyNodes: true"))["production"]
    assert kept["pageInfo"] == {"count": 24 - len(nulls), "filtered": len(nulls)}
    assert kept["nodes"] == [row for row in whole["nodes"] if row["production"] is not None]


@pytest.mark.parametrize("kind", ["consumption", "production"])
def test_a_day_is_the_sum_of_its_hours(customer: Customer, kind: str) -> None:
    customer.moment = datetime(2026, 10, 26, 4, 0, tzinfo=UTC)
    amount = "cost" if kind == "consumption" else "profit"
    midnight = cursor("2026-10-25T00:00:00.000+02:00")
    fields = f"{{ nodes {{ from to {kind} {amount} }} }}"
    [day] = customer.home(f"{kind}(resolution: DAILY, last: 1) {fields}")[kind]["nodes"]
    hours = customer.home(f'{kind}(resolution: HOURLY, first: 25, after: "{midnight}") {fields}')[kind]["nodes"]
    assert day["from"] == "2026-10-25T00:00:00.000+02:00"
    assert day["to"] == hours[-1]["to"] == "2026-10-26T00:00:00.000+01:00"
    assert day[kind] == pytest.approx(sum(row[kind] or 0 for row in hours))
    assert day[amount] == pytest.approx(sum(row[amount] or 0 for row in hours), rel=1e-4)


def test_a_home_without_a_contract_has_energy_but_no_prices(customer: Customer) -> None:
    fields = "currentSubscription { id } subscriptions { id } consumption(resolution: HOURLY, last: 3)"
    fields += " { nodes { consumption cost unitPrice currency } }"
    home = customer.home(fields, FLAT)
    assert home["currentSubscription"] is None
    assert home["subscriptions"] == []
    assert home["consumption"]["nodes"][0].pop("consumption") > 0
    assert home["consumption"]["nodes"][0] == {"cost": None, "unitPrice": None, "currency": None}


def test_a_home_without_panels_produces_nothing(customer: Customer) -> None:
    page = customer.home("production(resolution: HOURLY, last: 3) { nodes { production } }", FLAT)
    assert page == {"production": {"nodes": []}}

"""What a Home Mini shows: the newest row with sign and zero, nothing where it is silent, and a limit that is its own."""

from decimal import Decimal
from typing import Any

import pytest

from bridge.errors import RateLimited
from bridge.models.figure import Live
from bridge.providers.octopus.household import Supply
from bridge.providers.octopus.readings import Readings
from bridge.providers.octopus.tenants import TENANTS
from tests.providers.wire import Wire, failure
from tests.support import utc

METER = Supply("import", "1000", (), ("21E1",), device="00-01")


async def live(wire: Wire) -> tuple[Live, ...]:
    return await Readings(wire.kraken, wire.rest, TENANTS["uk"], Decimal(40)).live(METER)


def shown(*rows: Any) -> Wire:
    return Wire({"Telemetry": {"data": {"smartMeterTelemetry": list(rows)}}})


async def test_a_home_mini_shows_watts_and_kilowatt_hours_and_keeps_sign_and_zero() -> None:
    rows = [
        {"readAt": "2026-06-10T11:59:40+00:00", "demand": "900", "consumption": "1", "export": "1"},
        {"readAt": "2026-06-10T12:59:50+01:00", "demand": "-250.5", "consumption": "12345678.0", "export": "0"},
    ]
    at = utc("2026-06-10T11:59:50")
    assert await live(shown(*rows)) == (
        Live(quantity="power", value=Decimal("-250.5"), unit="W", at=at),
        Live(quantity="energy", value=Decimal("12345.678"), unit="kWh", at=at),
        Live(quantity="energy-export", value=Decimal(0), unit="kWh", at=at),
    )


async def test_a_silent_one_shows_nothing() -> None:
    assert await live(shown()) == ()
    assert await live(Wire({"Telemetry": {"data": {"smartMeterTelemetry": None}}})) == ()
    assert await live(shown({"readAt": "2026-06-10T11:59:40+00:00", "demand": None})) == ()


async def test_too_many_requests_for_live_values_hold_nothing_else_back() -> None:
    wire = Wire({"Telemetry": failure("KT-CT-1199", "smartMeterTelemetry")})
    with pytest.raises(RateLimited):
        await live(wire)
    assert wire.meter.paused == []


async def test_an_odd_row_is_passed_over() -> None:
    rows: list[Any] = [5, {"readAt": "soon"}, {"demand": "1"}, {"readAt": "2026-06-10T11:59:40+00:00", "demand": 0}]
    assert [one.value for one in await live(shown(*rows))] == [Decimal(0)]

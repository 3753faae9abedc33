"""How a WARP charger reads what it is told: by its firmware's `day_ahead_prices`, which knows no time zone and no gap."""

import json
from datetime import datetime
from decimal import Decimal

MINUTES = {0: 15, 1: 60}  # by what the firmware calls a resolution
MOST, LARGEST = 200, 2**31


def read_by_warp(payload: bytes, moment: datetime) -> Decimal | None:
    """Return the price that the charger finds for `moment`, major unit per kWh, or None where it finds none."""
    if not payload:
        return None
    told = json.loads(payload)
    assert list(told) == ["first_date", "resolution", "prices"]
    assert len(told["prices"]) <= MOST
    assert all(type(price) is int and abs(price) < LARGEST for price in told["prices"])
    index = (int(moment.timestamp()) // 60 - told["first_date"]) // MINUTES[told["resolution"]]
    return Decimal(told["prices"][index]) / 100_000 if 0 <= index < len(told["prices"]) else None

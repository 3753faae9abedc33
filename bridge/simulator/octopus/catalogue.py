"""A product as REST tells it: its tariffs in every region, each with the addresses of its rows."""

from collections.abc import Sequence
from typing import Any

from bridge.simulator.octopus.products import REGIONS, STANDING, Tariff, current
from bridge.simulator.octopus.tariffs import Published, Rate
from bridge.simulator.octopus.times import EARLIEST, zulu

METHOD = "direct_debit_monthly"
GROUPS = {"E-2R": "dual_register_electricity_tariffs", "G-1R": "single_register_gas_tariffs"}
SINGLE, FOUR = "single_register_electricity_tariffs", "four_rate_ev_electricity_tariffs"
PRICES = {"unitRate": "standard_unit_rate", "dayRate": "day_unit_rate", "nightRate": "night_unit_rate"}


def detail(tariffs: Sequence[Tariff], published: Published, base: str) -> dict[str, Any] | None:
    """Return the content of a product's page, None for one without tariffs; `base` is what every address begins with."""
    if not tariffs:
        return None
    first = tariffs[0]
    groups: dict[str, dict[str, Any]] = {name: {} for name in (SINGLE, *GROUPS.values(), FOUR)}
    for tariff in tariffs:
        group = FOUR if tariff.kind == "FourRateEvTariff" else GROUPS.get(tariff.registers, SINGLE)
        groups[group] |= {f"_{region}": {METHOD: _tariff(tariff, region, published, base)} for region in REGIONS}
    return {
        "code": first.product,
        "direction": "EXPORT" if first.export else "IMPORT",
        "full_name": first.name,
        "display_name": first.name,
        "description": f"{first.name}, at made-up prices.",
        "is_variable": first.variable,
        "is_green": False,
        "is_tracker": False,
        "is_prepay": first.kind == "PrepayTariff",
        "is_business": False,
        "is_restricted": False,
        "term": None if first.variable else 12,
        "available_from": zulu(EARLIEST),
        "available_to": None,
        "brand": "OCTOPUS_ENERGY",
        "tariffs_active_at": zulu(published.moment),
        **groups,
        "links": [{"href": f"{base}/products/{first.product}/", "method": "GET", "rel": "self"}],
    }


def _tariff(tariff: Tariff, region: str, published: Published, base: str) -> dict[str, Any]:
    code, fuel = tariff.code(region), "gas" if tariff.gas else "electricity"
    folder = f"{base}/products/{tariff.product}/{fuel}-tariffs/{code}"
    links = [
        {"href": f"{folder}/{address}/", "method": "GET", "rel": address.replace("-", "_")}
        for address in (STANDING, *tariff.rest)
    ]
    prices = {"standing_charge": current(tariff.standing, region, published)}
    if not tariff.parts:
        prices["standard_unit_rate"] = current(tariff.effective, region, published)
    for field, series in tariff.parts.items():
        if field in PRICES:
            prices[PRICES[field]] = current(series, region, published)
    return {"code": code, **_both(prices), "exit_fees_inc_vat": 0, "exit_fees_exc_vat": 0, "links": links}


def _both(prices: dict[str, Rate | None]) -> dict[str, float | None]:
    """Return each price without VAT and with it."""
    net = {f"{name}_exc_vat": float(rate.net) if rate else None for name, rate in prices.items()}
    return net | {f"{name}_inc_vat": float(rate.gross) if rate else None for name, rate in prices.items()}

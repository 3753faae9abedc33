"""The tariffs in stock: a few real products under their real codes, at made-up prices, and a made-up one of each rare kind.

A tariff's code is its registers, its product's code and a region: E-1R-AGILE-24-10-01-C.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, time

from bridge.simulator.octopus.tariffs import NON_DIRECT_DEBIT, Flat, HalfHours, Nothing, Published, Rate, Series, Windows
from bridge.simulator.octopus.times import HALF_HOUR

REGIONS = "ABCDEFGHJKLMNP"
STANDARD, DAY, NIGHT, STANDING = "standard-unit-rates", "day-unit-rates", "night-unit-rates", "standing-charges"


@dataclass(frozen=True)
class Tariff:
    """One tariff of a product in every region. `effective` are the prices as they apply, `rest` the rows by their address."""

    product: str
    name: str
    kind: str
    """The GraphQL type."""
    effective: Series
    rest: Mapping[str, Series]
    standing: Series
    registers: str = "E-1R"
    export: bool = False
    private: bool = False
    variable: bool = False
    parts: Mapping[str, Series] = field(default_factory=dict)
    """The prices that GraphQL tells one by one: field → its series."""

    @property
    def gas(self) -> bool:
        return self.registers.startswith("G")

    def code(self, region: str) -> str:
        return f"{self.registers}-{self.product}-{region}"

    def series(self, address: str) -> Series | None:
        """Return the rows of a REST address, None where there is no such address."""
        return self.standing if address == STANDING else self.rest.get(address)


def current(series: Series, region: str, published: Published) -> Rate | None:
    """Return the price at the moment, that of a direct debit where there are two, or None where none is out."""
    moment = published.moment
    rates = series.rates(region, moment, moment + HALF_HOUR, published)
    now = (rate for rate in rates if rate.start <= moment and (rate.end is None or moment < rate.end))
    return next((rate for rate in now if rate.payment != NON_DIRECT_DEBIT), None)


ELECTRICITY_STANDING = Flat("45.57", quarterly=True)
BOTH_STANDING = Flat("45.57", quarterly=True, methods=True)
GAS_STANDING = Flat("27.57", quarterly=True, methods=True)
NO_STANDING = Flat("0", vat=False)

GO = Windows(((time(0, 30), "8.095"), (time(5, 30), "27.5796")))
INTELLIGENT = Windows(((time(5, 30), "23.231"), (time(23, 30), "6.667")))
ECONOMY_7 = Windows(((time(0, 30), "11.39"), (time(7, 30), "27.16")), UTC)
THREE_RATES = Windows(((time(0), "24.25"), (time(4), "11.88"), (time(7), "24.25"), (time(16), "37.61"), (time(19), "24.25")))
FOUR_RATES = Windows(((time(0), "7.5"), (time(5), "21.9"), (time(16), "34.8"), (time(19), "21.9"), (time(23, 30), "7.5")))


def _half_hourly(product: str, name: str, *, export: bool = False) -> Tariff:
    rates = HalfHours(product, export)
    standing = NO_STANDING if export else ELECTRICITY_STANDING
    return Tariff(product, name, "HalfHourlyTariff", rates, {STANDARD: rates}, standing, export=export, variable=True)


def _windows(product: str, name: str, windows: Windows, rest: Mapping[str, Series]) -> Tariff:
    return Tariff(product, name, "HalfHourlyTariff", windows, rest, ELECTRICITY_STANDING, variable=True)


def _flat(product: str, name: str, rate: Flat, standing: Flat, kind: str = "StandardTariff", **more: bool) -> Tariff:
    registers = "G-1R" if kind == "GasTariffType" else "E-1R"
    one = Flat(rate.net, rate.quarterly, methods=False, vat=rate.vat)
    return Tariff(product, name, kind, one, {STANDARD: rate}, standing, registers, parts={"unitRate": one}, **more)


def _day_and_night(product: str, name: str, *, variable: bool) -> Tariff:
    day, night = (Flat(net, quarterly=False, methods=variable) for net in ("27.16", "11.39"))
    parts = {"dayRate": Flat("27.16"), "nightRate": Flat("11.39")}
    rest: dict[str, Series] = {STANDARD: Nothing(), DAY: day, NIGHT: night}
    return Tariff(
        product, name, "DayNightTariff", ECONOMY_7, rest, BOTH_STANDING, "E-2R", variable=variable, parts=parts
    )  # fmt: skip


FLEXIBLE, FIXED = ("VAR-22-11-01", "Flexible Octopus"), ("OE-FIX-12M-24-08-20", "Octopus 12M Fixed")

STOCK = (
    _half_hourly("AGILE-24-10-01", "Agile Octopus"),
    _half_hourly("AGILE-OUTGOING-19-05-13", "Agile Outgoing Octopus", export=True),
    _windows("GO-VAR-22-10-14", "Octopus Go", GO, {STANDARD: GO}),
    _windows("INTELLI-VAR-22-10-14", "Intelligent Octopus Go", INTELLIGENT, {STANDARD: INTELLIGENT}),
    _windows(
        "IOG-SMB-VAR-24-10-29",
        "Intelligent Octopus Go",
        INTELLIGENT,
        {STANDARD: Nothing(), DAY: Flat("23.231"), NIGHT: Flat("6.667")},
    ),
    _flat(*FLEXIBLE, Flat("21.98", quarterly=True, methods=True), BOTH_STANDING, variable=True),
    _day_and_night(*FLEXIBLE, variable=True),
    _flat(*FLEXIBLE, Flat("5.1445", quarterly=True, methods=True), GAS_STANDING, "GasTariffType", variable=True),
    _flat(*FIXED, Flat("23.0"), ELECTRICITY_STANDING),
    _day_and_night(*FIXED, variable=False),
    _flat(*FIXED, Flat("5.32"), Flat("27.57"), "GasTariffType"),
    _flat("OUTGOING-FIX-12M-19-05-13", "Outgoing Octopus 12M Fixed", Flat("15", vat=False), NO_STANDING, export=True),
    Tariff(
        "THREE-RATE-VAR-24-07-01",
        "Three Rates",
        "ThreeRateTariff",
        THREE_RATES,
        {STANDARD: THREE_RATES},
        ELECTRICITY_STANDING,
        variable=True,
        parts={"dayRate": Flat("24.25"), "nightRate": Flat("37.61"), "offPeakRate": Flat("11.88")},
    ),
    Tariff("FOUR-RATE-EV-VAR-25-01-01", "Four Rates EV", "FourRateEvTariff", FOUR_RATES, {}, ELECTRICITY_STANDING, variable=True),
    _flat("PREPAY-VAR-18-09-21", "Pay as you go", Flat("22.4", quarterly=True), ELECTRICITY_STANDING, "PrepayTariff"),
    _flat("PRIVATE-FIX-12M-25-03-01", "Friends and Family", Flat("19.9"), ELECTRICITY_STANDING, private=True),
)

TARIFFS = {(tariff.registers, tariff.product): tariff for tariff in STOCK}


def find(code: str) -> tuple[Tariff, str] | None:
    """Return the tariff of a whole code and the region in it, or None."""
    registers, product, region = code[:4], code[5:-2], code[-1:]
    tariff = TARIFFS.get((registers, product))
    return (tariff, region) if tariff and region in REGIONS and code == tariff.code(region) else None


def of_product(code: str) -> list[Tariff]:
    """Return the tariffs of a product, none for one that is unknown or private."""
    return [tariff for tariff in STOCK if tariff.product == code and not tariff.private]

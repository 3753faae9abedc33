"""From an account's JSON to properties, their meter points and agreements: pure. What is odd is left out, with a line in the log.

Import or export is told by four signs in turn, as each is missing somewhere; the meters' serial numbers tell nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from bridge.errors import Malformed, NotFound
from bridge.models.site import Site
from bridge.providers.octopus.raw import each, instant, number
from bridge.providers.octopus.tenants import Tenant
from bridge.transport.graphql import Json

IMPORT, EXPORT, GAS = "import", "export", "gas"
TITLE = "home"
PENCE = 100
UNITS = {"m3": True, "m³": True, "kwh": False}  # whether it is a volume
MECHANISMS = {"S1": False, "S2": True}
UNUSED = ("WITHDRAWN", "VOID", "ENROLMENT_REJECTED")  # accounts that never came to be
SMART = re.compile(r"^S[12]")
EXPORTS = re.compile(r"OUTGOING|EXPORT|-SEG-")
TARIFF_CODE = re.compile(r"^(?:[A-Z]-[0-9A-Z]+-)?(?P<product>[A-Z0-9_-]+)-(?P<region>[A-P])$")


@dataclass(frozen=True)
class Tariff:
    """What an agreement is charged by; rates in pence, tax included."""

    code: str
    product: str
    kind: str  # the GraphQL type
    standing_charge: Decimal | None  # pence a day
    rates: dict[str, Decimal]  # unitRate, dayRate, nightRate, offPeakRate
    is_export: bool | None = None


@dataclass(frozen=True)
class Agreement:
    """A tariff in force over [start, end); an end of None is open."""

    start: datetime
    end: datetime | None
    tariff: Tariff


@dataclass(frozen=True)
class Supply:
    """A meter point with the agreements that have a tariff, oldest first."""

    stream: str
    number: str  # MPAN or MPRN
    agreements: tuple[Agreement, ...]
    serials: tuple[str, ...] = ()
    region: str | None = None
    device: str | None = None  # the smart meter's id for telemetry
    is_smart: bool = False
    in_cubic_metres: bool | None = False  # of a gas meter; None where nothing tells

    def agreement(self, moment: datetime) -> Agreement | None:
        """Return the agreement in force: the latest that has begun and not ended; a fixed tariff's end lies ahead."""
        begun = [one for one in self.agreements if one.start <= moment and (one.end is None or one.end > moment)]
        return begun[-1] if begun else None

    @property
    def until(self) -> datetime | None:
        """The end of the last agreement, None where it is open."""
        ends = [one.end for one in self.agreements]
        return None if None in ends or not ends else max(end for end in ends if end is not None)

    def concerns(self, moment: datetime) -> bool:
        """Tell whether any agreement is in force or to come."""
        return any(one.end is None or one.end > moment for one in self.agreements)


@dataclass(frozen=True)
class Household:
    """One property of an account."""

    account: str
    id: str
    supplies: tuple[Supply, ...]
    personal: dict[str, str]

    def supply(self, stream: str) -> Supply | None:
        """Return the meter point whose price is this stream's: the first of its kind."""
        return next((supply for supply in self.supplies if supply.stream == stream), None)

    def meter(self, supply: Supply) -> str:
        """Return the name of a meter point's readings: its stream, and of a second one of a kind its number among them."""
        alike = [one.number for one in self.supplies if one.stream == supply.stream]
        place = alike.index(supply.number) + 1
        return supply.stream if place == 1 else f"{supply.stream}-{place}"

    def site(self, tenant: Tenant, moment: datetime, charged: Mapping[str, Decimal], *, personal: bool) -> Site:
        """Return it as a site; `charged` are standing charges by tariff that only REST told."""
        streams = tuple(stream for stream in (IMPORT, EXPORT, GAS) if self.supply(stream))
        in_force = {stream: one.tariff for stream in streams if (one := self._agreement(stream, moment))}
        told = ((stream, tariff.standing_charge, charged.get(tariff.code)) for stream, tariff in in_force.items())
        charges = {stream: other if own is None else own for stream, own, other in told}
        return Site(
            id=self.id,
            title=TITLE,
            timezone=tenant.timezone,
            currency=tenant.currency,
            price_area=next((supply.region for supply in self.supplies if supply.region), None),
            streams=streams,
            standing_charges={stream: charge / PENCE for stream, charge in charges.items() if charge is not None},
            tariffs={stream: tariff.code for stream, tariff in in_force.items()},
            personal=self.personal if personal else None,
        )

    def _agreement(self, stream: str, moment: datetime) -> Agreement | None:
        supply = self.supply(stream)
        return supply.agreement(moment) if supply else None


def accounts(data: Json) -> list[str]:
    """Return the numbers of the accounts that are in use. Raises Malformed, or NotFound where there is none."""
    viewer = data.get("viewer")
    found = viewer.get("accounts") if isinstance(viewer, dict) else None
    if not isinstance(found, list):
        raise Malformed("the answer names no accounts")
    used = (account for account in found if isinstance(account, dict) and account.get("status") not in UNUSED)
    numbers = [found for account in used if isinstance(found := account.get("number"), str)]
    if not numbers:
        raise NotFound("the sign-in is good, but no account belongs to it")
    return numbers


def households(data: Json, account_number: str, moment: datetime) -> list[Household]:
    """Return the properties of an account, those that have been left behind only where there is no other. Raises Malformed."""
    account = data.get("account")
    if not isinstance(account, dict):
        raise NotFound(f"account {account_number} is not known to the provider, or not ours")
    properties = account.get("properties")
    if not isinstance(properties, list):
        raise Malformed(f"the answer names no properties of account {account_number}")
    read = each(properties, "property", lambda one: _household(one, account_number, moment))
    present = [one for one in read if any(supply.concerns(moment) for supply in one.supplies)]
    return present or read


def _household(one: Json, account: str, moment: datetime) -> Household:
    electricity = each(one.get("electricityMeterPoints"), "electricity meter point", _electricity)
    gas = each(one.get("gasMeterPoints"), "gas meter point", _gas)
    # two meter points of one kind: the one with an agreement that lasts goes first, a fixed one lasts as well as an open one
    supplies = sorted((*electricity, *gas), key=lambda supply: not supply.concerns(moment))
    numbers = {f"{supply.stream}_{'mprn' if supply.stream == GAS else 'mpan'}": supply.number for supply in supplies}
    facts = {"account": account, "postcode": one.get("postcode"), "address": one.get("address"), **numbers}
    return Household(account, str(one["id"]), tuple(supplies), {key: str(value) for key, value in facts.items() if value})


def _electricity(point: Json) -> Supply:
    agreements = _agreements(point)
    meters = [meter for meter in point.get("meters") or () if isinstance(meter, dict) and not meter.get("activeTo")]
    stream = EXPORT if _is_export(point, agreements, meters) else IMPORT
    device = "smartExportElectricityMeter" if stream == EXPORT else "smartImportElectricityMeter"
    group = str(point.get("gspGroupId") or "").removeprefix("_")
    return Supply(
        stream=stream,
        number=str(point["mpan"]),
        agreements=agreements,
        serials=_serials(meters),
        region=group if re.fullmatch("[A-P]", group) else _region(agreements),
        device=next((found["deviceId"] for meter in meters if (found := meter.get(device))), None),
        is_smart=any(SMART.match(str(meter.get("meterType") or "")) for meter in meters),
    )


def _gas(point: Json) -> Supply:
    meters = [meter for meter in point.get("meters") or () if isinstance(meter, dict) and not meter.get("activeTo")]
    told = (_in_cubic_metres(meter) for meter in meters)
    agreements = _agreements(point)
    return Supply(
        stream=GAS,
        number=str(point["mprn"]),
        agreements=agreements,
        serials=_serials(meters),
        region=_region(agreements),
        in_cubic_metres=next((cubic for cubic in told if cubic is not None), None),
    )


def _in_cubic_metres(meter: Json) -> bool | None:
    """Tell what a gas meter counts in, by its unit or else by its kind: of smart meters only the first (S1) count kWh."""
    unit = UNITS.get(str(meter.get("consumptionUnits")).lower())
    return MECHANISMS.get(str(meter.get("mechanism"))) if unit is None else unit


def _is_export(point: Json, agreements: Sequence[Agreement], meters: Sequence[Json]) -> bool:
    if point.get("direction") in ("IMPORT", "EXPORT"):
        return bool(point["direction"] == "EXPORT")
    if agreements and agreements[-1].tariff.is_export is not None:
        return agreements[-1].tariff.is_export
    sides = [bool(meter.get("smartExportElectricityMeter")) - bool(meter.get("smartImportElectricityMeter")) for meter in meters]
    return sum(sides) > 0 or bool(agreements and EXPORTS.search(agreements[-1].tariff.code))


def _agreements(point: Json) -> tuple[Agreement, ...]:
    found = each(point.get("agreements"), "agreement", _agreement)
    return tuple(sorted(found, key=lambda one: one.start))


def _agreement(one: Json) -> Agreement | None:
    tariff = one.get("tariff") or {}
    if one.get("isRevoked") or not tariff.get("tariffCode"):
        return None
    code, kind = str(tariff["tariffCode"]), str(tariff.get("__typename") or "")
    parts = TARIFF_CODE.match(code)
    names = ("unitRate", "dayRate", "nightRate", "offPeakRate")
    charge = tariff.get("standingCharge")
    start = instant(one["validFrom"]) if one.get("validFrom") else datetime.min.replace(tzinfo=UTC)
    end = instant(one["validTo"]) if one.get("validTo") else None
    if end is not None and end <= start:
        return None  # called off before it began
    return Agreement(
        start=start,
        end=end,
        tariff=Tariff(
            code=code,
            product=str(tariff.get("productCode") or (parts["product"] if parts else code)),
            kind=kind,
            standing_charge=None if charge is None else number(charge),
            rates={name: number(tariff[name]) for name in names if tariff.get(name) is not None},
            is_export=tariff.get("isExport"),
        ),
    )


def _region(agreements: Sequence[Agreement]) -> str | None:
    parts = TARIFF_CODE.match(agreements[-1].tariff.code) if agreements else None
    return parts["region"] if parts else None


def _serials(meters: Sequence[Json]) -> tuple[str, ...]:
    return tuple(str(meter["serialNumber"]) for meter in meters if meter.get("serialNumber"))

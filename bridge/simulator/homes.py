"""The simulated customer: homes, and the personal details that go with them.

All details are invented, and derived from the home's id so that they never change.
"""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

USER_ID = "7c0f3a52-6a0e-4a86-9d0b-4f6f1d1f9b10"
EMAIL = "kari.nordmann@example.org"
STREETS = ("Holmveien", "Birkenallee", "Fjordgata", "Seestrasse", "Granstigen")


@dataclass(frozen=True)
class Profile:
    """What the customer has told of a home, and may correct."""

    app_avatar: str = "COTTAGE"
    size: int = 120
    type: str = "HOUSE"
    number_of_residents: int = 3
    primary_heating_source: str = "AIR2AIR_HEATPUMP"
    has_ventilation_system: bool = True
    main_fuse_size: int = 25


@dataclass(frozen=True)
class Home:
    """A home of the account; `timezone` is an IANA name, prices are in `currency` per kWh.

    Without `quarter_hourly`, today and tomorrow come in hours only, as with some hourly contracts.
    """

    id: str
    nickname: str | None
    timezone: str
    currency: str
    price_area: str
    produces: bool = False
    has_subscription: bool = True
    quarter_hourly: bool = True
    real_time: bool = False
    profile: Profile = Profile()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


DEFAULT_HOMES = (
    Home("5d1f2c6e-2f0b-4c57-9a43-0f6a6f3f7c11", "Holm Street", "Europe/Oslo", "NOK", "NO1"),
    Home("b7a9e0d4-91c8-4e1f-8a55-3b2d7c90e622", "Cabin", "Europe/Berlin", "EUR", "DE-LU", produces=True),
)


def subscription_id(home: Home) -> str:
    return str(uuid5(NAMESPACE_URL, f"{home.id}/subscription"))


def address(home: Home) -> dict[str, str | None]:
    number = _number(home, "address")
    return {
        "address1": f"{STREETS[number % len(STREETS)]} {number % 90 + 1}",
        "address2": None,
        "address3": None,
        "city": home.timezone.rpartition("/")[2],
        "postalCode": f"{number % 9000 + 1000}",
        "country": home.price_area[:2],
        "latitude": f"{50 + number % 1000 / 100:.4f}",
        "longitude": f"{8 + number // 1000 % 800 / 100:.4f}",
    }


def owner(home: Home) -> dict[str, Any]:
    return {
        "id": str(uuid5(NAMESPACE_URL, EMAIL)),
        "firstName": "Kari",
        "isCompany": False,
        "name": "Kari Nordmann",
        "middleName": None,
        "lastName": "Nordmann",
        "organizationNo": None,
        "language": "en",
        "contactInfo": {"email": EMAIL, "mobile": "+4700000000"},
        "address": address(home),
    }


def metering_point(home: Home) -> dict[str, Any]:
    """Return the grid's data; both numbers have the 18 digits of a real one, under a prefix nobody holds."""
    return {
        "consumptionEan": f"999001{_number(home, 'consumption'):012d}",
        "gridCompany": "Example Grid",
        "gridAreaCode": f"{home.price_area}-EXAMPLE",
        "priceAreaCode": home.price_area,
        "productionEan": f"999002{_number(home, 'production'):012d}" if home.produces else None,
        "energyTaxType": "NONE",
        "vatType": "NORMAL",
        "estimatedAnnualConsumption": 8000 + _number(home, "annual") % 12000,
    }


def _number(home: Home, purpose: str) -> int:
    """Twelve decimal digits."""
    return int.from_bytes(hashlib.shake_128(f"{home.id}|{purpose}".encode()).digest(8), "big") % 10**12

"""`[sources.NAME]` with `provider = "octopus"`: one way to sign in, the account, the tenant and its addresses."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.providers.base import HeaderSecret, RequestBudget, SourceSettings, Url
from bridge.providers.octopus.tenants import OTHERS, TENANTS, Tenant
from bridge.state.budget import BudgetSettings

PAUSE = timedelta(minutes=5)  # after KT-CT-1199, which does not say how long
WAYS = ("api_key", "email", "pre_signed_key", "organization_secret_key")


def _known(tenant: str) -> str:
    if tenant in OTHERS:
        raise ValueError(f"{tenant} runs on Kraken too, but its meter points and prices differ and are not read yet")
    if tenant not in TENANTS:
        raise ValueError(f"must be one of: {', '.join(TENANTS)}")
    return tenant


def _account(number: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{3,32}", number):
        raise ValueError("must be an account number such as A-1B2C3D4E")
    return number.upper()


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("must not be empty")
    return secret


def _night(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d( UTC)?", text):
        raise ValueError('must be two times such as "00:30-07:30 UTC" or, in local time, "23:30-05:30"')
    return text


Secret = Annotated[SecretStr, AfterValidator(_not_empty)]


class OctopusSettings(SourceSettings):
    """One account at Octopus Energy or another supplier on Kraken."""

    provider: Literal["octopus"]
    api_key: HeaderSecret | None = None
    email: Secret | None = None
    password: Secret | None = None
    pre_signed_key: Secret | None = None
    organization_secret_key: Secret | None = None
    account: Annotated[str, AfterValidator(_account)] | None = None  # default: every account that the key can see
    tenant: Annotated[str, AfterValidator(_known)] = "uk"
    url: Url | None = None  # the three of the tenant, unless given
    rest_url: Url | None = None
    backend_url: Url | None = None
    payment_method: Literal["direct_debit", "non_direct_debit"] = "direct_debit"  # which of two prices is the customer's
    night: Annotated[str, AfterValidator(_night)] | None = None  # of a day-and-night tariff, where the meter has other times
    calorific_value: Decimal = Field(default=Decimal(40), gt=30, lt=50)  # MJ/m³ of the gas; the bill tells it
    telemetry: bool = True  # live values of a Home Mini; 60 of the 100 requests an hour that all apps share
    free_electricity_campaign: str = "free_electricity"
    budget: RequestBudget = BudgetSettings(requests=40, seconds=300)  # a first poll asks for a dozen things

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.email is None) != (self.password is None):
            raise ValueError("email and password go together: give both or neither")
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) != 1:
            found = "none of them" if not given else " and ".join(given)
            raise ValueError(f"needs one way to sign in: {', '.join(WAYS)} (with password); it has {found}")
        return self

    @property
    def place(self) -> Tenant:
        return TENANTS[self.tenant]

    def addresses(self) -> dict[str, str]:
        usual = {"url": self.place.url, "rest_url": self.place.rest_url, "backend_url": self.place.backend_url}
        return {key: url for key, url in usual.items() if url is not None} | super().addresses()

    def credentials(self) -> dict[str, str]:
        """Return the input of `obtainKrakenToken`: one method, never two."""
        if self.email is not None and self.password is not None:
            return {"email": self.email.get_secret_value(), "password": self.password.get_secret_value()}
        organization = self.organization_secret_key
        ways = {"APIKey": self.api_key, "preSignedKey": self.pre_signed_key, "organizationSecretKey": organization}
        return {name: secret.get_secret_value() for name, secret in ways.items() if secret is not None}

    def identity(self) -> str:
        return f"{self.url or self.place.url} {self.account} {sorted(self.credentials().items())}"

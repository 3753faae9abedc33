"""The configuration of an Octopus source: one way to sign in, the tenant's addresses, and no secret in any complaint."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.providers.base import secrets
from bridge.providers.octopus.settings import OctopusSettings
from bridge.providers.octopus.tenants import OTHERS, TENANTS
from tests.providers.wire import KEY, Wire, settings

SECRET = "planted-9f2c"
WAYS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"api_key": KEY}, {"APIKey": KEY}),
    ({"email": "a@example.com", "password": SECRET}, {"email": "a@example.com", "password": SECRET}),
    ({"pre_signed_key": SECRET}, {"preSignedKey": SECRET}),
    ({"organization_secret_key": SECRET}, {"organizationSecretKey": SECRET}),
]


def read(**given: Any) -> OctopusSettings:
    return OctopusSettings.model_validate({"provider": "octopus", **given})


def refused(**given: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        read(**given)
    return str(caught.value)


# signing in


@pytest.mark.parametrize(("given", "credentials"), WAYS)
def test_there_are_four_ways_to_sign_in_and_one_input_for_each(given: dict[str, Any], credentials: dict[str, str]) -> None:
    assert read(**given).credentials() == credentials


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "it has none of them"),
        ({"api_key": KEY, "pre_signed_key": SECRET}, "it has api_key and pre_signed_key"),
        ({"api_key": KEY, "email": "a@example.com", "password": SECRET}, "it has api_key and email"),
        ({"email": "a@example.com"}, "email and password go together"),
        ({"password": SECRET}, "email and password go together"),
        ({"api_key": KEY, "password": SECRET}, "email and password go together"),
        ({"api_key": ""}, "must not be empty"),
        ({"email": " ", "password": SECRET}, "must not be empty"),
        ({"email": "a@example.com", "password": ""}, "must not be empty"),
        ({"api_key": f"{SECRET} "}, "copy it once more"),
        ({"api_key": f"{SECRET}\n"}, "copy it once more"),
        ({"api_key": f"{SECRET}ä"}, "copy it once more"),
        ({"api_keys": SECRET}, "Extra inputs are not permitted"),
    ],
)
def test_none_two_or_half_a_way_is_refused_without_showing_a_secret(given: dict[str, Any], text: str) -> None:
    told = refused(**given)
    assert text in told
    assert SECRET not in told
    assert KEY not in told


@pytest.mark.parametrize(("given", "credentials"), WAYS)
def test_every_secret_is_known_as_one(given: dict[str, Any], credentials: dict[str, str]) -> None:
    found = read(**given)
    assert set(secrets(found)) == set(credentials.values())
    assert SECRET not in f"{found!r} {found} {found.model_dump_json()}"


def test_a_password_may_hold_any_letter() -> None:
    password = 'p ä"\\\n€'
    assert read(email="a@example.com", password=password).credentials()["password"] == password


def test_another_key_account_or_address_is_another_identity() -> None:
    ways = [read(**given).identity() for given, _ in WAYS]
    others = [
        settings(account="A-1").identity(),
        settings(account="A-2").identity(),
        settings(url="https://example.com/").identity(),
    ]
    assert len({*ways, *others, settings(tenant="edf").identity()}) == 8
    assert settings(telemetry=False, calorific_value="39").identity() == settings().identity()


# the rest


def test_everything_but_the_sign_in_has_a_value_of_its_own() -> None:
    found = settings()
    assert found.model_dump(exclude={"budget", "api_key"}, exclude_defaults=True) == {"provider": "octopus"}
    assert (found.place, found.payment_method, found.calorific_value, found.account) == (
        TENANTS["uk"],
        "direct_debit",
        Decimal(40),
        None,
    )
    assert (found.budget.requests, found.budget.seconds) == (40, 300)
    assert found.api_key == SecretStr(KEY)


@pytest.mark.parametrize(("given", "account"), [("A-1B2C3D4E", "A-1B2C3D4E"), ("a-1b2c3d4e", "A-1B2C3D4E")])
def test_an_account_is_a_number_in_capitals(given: str, account: str) -> None:
    assert settings(account=given).account == account


@pytest.mark.parametrize("account", ["", "A", "A 1", "A/1", 'A"1', "A-" + "1" * 40, "Ä-1234"])
def test_an_odd_account_is_refused(account: str) -> None:
    assert "must be an account number such as A-1B2C3D4E" in refused(api_key=KEY, account=account)


@pytest.mark.parametrize("night", ["00:30-07:30 UTC", "23:30-05:30", "00:00-00:00"])
def test_a_night_is_two_times_local_or_in_utc(night: str) -> None:
    assert settings(night=night).night == night


@pytest.mark.parametrize("night", ["", "00:30", "0:30-7:30", "24:00-07:00", "00:30-07:30 GMT", "00:30 - 07:30", "00:60-01:00"])
def test_an_odd_night_is_refused(night: str) -> None:
    assert "must be two times such as" in refused(api_key=KEY, night=night)


@pytest.mark.parametrize("value", [30, 50, 0, -40, "NaN", "inf", "hot"])
def test_a_calorific_value_beyond_reason_is_refused(value: object) -> None:
    assert "calorific_value" in refused(api_key=KEY, calorific_value=value)


@pytest.mark.parametrize("key", ["url", "rest_url", "backend_url"])
@pytest.mark.parametrize(
    "url", ["http://api.octopus.energy/", "ftp://example.com", "api.octopus.energy", f"https://u:{SECRET}@example.com/"]
)
def test_a_key_travels_by_https_only(key: str, url: str) -> None:
    told = refused(api_key=KEY, **{key: url})
    assert key in told
    assert SECRET not in told


# tenants


def test_a_tenant_names_its_addresses_and_what_it_has() -> None:
    assert {name: (tenant.url, tenant.rest_url, tenant.currency) for name, tenant in TENANTS.items()} == {
        "uk": ("https://api.octopus.energy/v1/graphql/", "https://api.octopus.energy/v1", "GBP"),
        "edf": ("https://api.edfgb-kraken.energy/v1/graphql/", "https://api.edfgb-kraken.energy/v1", "GBP"),
        "eon-next": ("https://api.eonnext-kraken.energy/v1/graphql/", "https://api.eonnext-kraken.energy/v1", "GBP"),
        "germany": ("https://api.oeg-kraken.energy/v1/graphql/", None, "EUR"),
    }
    backends = {name: tenant.backend_url for name, tenant in TENANTS.items() if tenant.backend_url}
    assert backends == {"uk": "https://api.backend.octopus.energy/v1/graphql/"}


@pytest.mark.parametrize("tenant", OTHERS)
def test_a_tenant_that_is_not_read_yet_says_so(tenant: str) -> None:
    assert f"{tenant} runs on Kraken too, but its meter points and prices differ and are not read yet" in refused(
        api_key=KEY, tenant=tenant
    )


def test_an_unknown_tenant_is_told_which_there_are() -> None:
    assert "must be one of: uk, edf, eon-next, germany" in refused(api_key=KEY, tenant="mars")


@pytest.mark.parametrize(("given", "names"), [({}, ["", "backend"]), ({"tenant": "edf"}, [""]), ({"tenant": "germany"}, [""])])
def test_a_source_shows_its_endpoints_to_introspection(given: dict[str, Any], names: list[str]) -> None:
    assert [endpoint.name for endpoint in Wire().source(**given).endpoints()] == names


async def test_the_users_addresses_take_the_place_of_the_tenants() -> None:
    accounts = {"viewer": {"accounts": [{"number": "A-1", "status": "ACTIVE"}]}}
    wire = Wire({"Accounts": {"data": accounts}})
    source = wire.source(url="https://kraken.example.com/v1/graphql/")
    assert await source.sign_in() == "signed in; account(s): A-1"
    assert {sent.host for sent in wire.sent} == {"kraken.example.com"}

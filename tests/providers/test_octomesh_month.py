"""A month of polls and restarts on OctoMesh's tokens of an hour, and refresh tokens that end after 15 days idle and 30 in all."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from bridge.errors import NotSignedIn
from tests.providers.tenant import NOON, Tenant, signed_in

DAY = timedelta(days=1)


async def lived(tenant: Tenant, days: float) -> None:
    """Ask every half-hour, as poller and devices do at one moment; restart every 31 hours, and poll beside every 7."""
    for number in range(int(days * 48)):
        tenant.pass_(minutes=30)
        signings = [tenant.signing] * 3
        if number % 62 == 61:
            tenant.restart()
        if number % 14 == 13:
            signings.append(tenant.beside())
        for signing in signings[2:]:
            assert tenant.is_good(await signing.token())
        assert len(set(await asyncio.gather(*(signing.token() for signing in signings)))) == 1


async def test_a_client_with_a_secret_lives_for_a_month_on_a_token_an_hour() -> None:
    tenant = Tenant()
    await lived(tenant, 30)
    assert tenant.errors() == [None] * len(tenant.errors())
    assert 30 * 24 <= len(tenant.grants()) <= 30 * 25
    moments = [asked.moment for asked in tenant.identity.requests]
    assert min(later - earlier for earlier, later in pairwise(moments)) >= timedelta(minutes=30)


async def test_one_login_lasts_for_30_days_and_then_the_command_is_named_until_the_next() -> None:
    tenant = await signed_in()
    await lived(tenant, 29.9)
    assert Counter(tenant.errors()) == {None: len(tenant.errors())}
    assert set(tenant.grants()) == {"refresh_token"}
    tenant.clock.set(NOON + 30 * DAY + timedelta(hours=2))
    for _ in range(3):
        with pytest.raises(NotSignedIn, match="run kwh2mqtt login mesh"):
            await tenant.signing.token()
    await tenant.login()
    await lived(tenant, 1)


async def test_a_restart_loop_signs_in_once() -> None:
    tenant = Tenant()
    for _ in range(50):
        tenant.pass_(seconds=20)
        tenant.restart()
        await tenant.signing.token()
    assert tenant.grants() == ["client_credentials"]


async def test_a_fortnight_without_power_is_survived_and_16_days_are_not() -> None:
    tenant = await signed_in()
    tenant.pass_(days=14)
    tenant.restart()
    assert tenant.is_good(await tenant.signing.token())
    tenant.pass_(days=16)
    tenant.restart()
    with pytest.raises(NotSignedIn):
        await tenant.signing.token()

"""A month of hours and restarts: tokens of 60 minutes, refresh tokens of 7 days, and nobody signs in more often than need be."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from bridge.providers.octopus.operations import Balances
from bridge.simulator.octopus.faults import OctopusFault
from tests.providers.customer import Customer
from tests.support import utc

BEGIN = utc("2026-10-10T06:00")  # the clock is set back within
PLAIN: dict[str, Any] = {"home_mini": False, "devices": ()}


async def test_a_month_with_restarts_takes_six_original_sign_ins_at_most_and_loses_no_answer() -> None:
    customer = Customer(BEGIN, simulated=PLAIN)
    moment, lost = BEGIN, []
    for hour in range(30 * 24):
        for minute in (13, 47):
            moment = BEGIN + timedelta(hours=hour, minutes=minute)
            for observation in await customer.live_until(moment):
                lost += [observation] if "token" in str(getattr(observation, "error", "")).lower() else []
            asked = [customer.execute("balance") for _ in range(3)]  # as devices do, at one moment
            answers = await asyncio.gather(*asked)
            assert [type(answer) for answer in answers] == [Balances] * 3
        if hour % 31 == 30:
            customer.restart()
    methods = Counter(sign_in.method for sign_in in customer.provider.sign_ins)
    assert lost == []
    assert methods["api_key"] <= 6
    assert methods["refresh_token"] <= 30 * 25
    assert all(sign_in.ok for sign_in in customer.provider.sign_ins)
    moments = [sign_in.moment for sign_in in customer.provider.sign_ins]
    assert min(later - earlier for earlier, later in pairwise(moments)) > timedelta(minutes=30)


async def test_a_restart_loop_signs_in_once() -> None:
    customer = Customer(BEGIN, simulated=PLAIN)
    for number in range(50):
        customer.clock.set(BEGIN + number * timedelta(seconds=20))
        customer.restart()
        await customer.poll()
    assert [sign_in.method for sign_in in customer.provider.sign_ins] == ["api_key"]


async def test_an_expired_token_in_the_middle_of_a_poll_costs_a_renewal_and_no_answer() -> None:
    customer = Customer(BEGIN, simulated=PLAIN)
    await customer.poll()
    customer.clock.set(BEGIN + timedelta(minutes=30))
    customer.provider.faults.next(OctopusFault.EXPIRED)
    answers = await asyncio.gather(*(customer.execute("balance") for _ in range(5)))
    assert len(answers) == 5
    assert [sign_in.method for sign_in in customer.provider.sign_ins] == ["api_key", "refresh_token"]

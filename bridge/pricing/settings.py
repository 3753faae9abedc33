"""How prices are judged: `[sources.NAME.pricing]`. Percentages are plain numbers, 15 for 15 %; spans of time are ISO 8601.

No threshold is an amount of money: each is a share of the prices themselves, so that euros, øre and pence are judged alike.
"""

import re
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _iso(span: object) -> object:
    if isinstance(span, str) and not re.fullmatch(r"P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?", span):
        raise ValueError('must be a length of time such as "PT15M" or "PT1H30M"')
    return span


def _short(span: timedelta) -> timedelta:
    if not timedelta() <= span <= timedelta(days=1):
        raise ValueError("must be between PT0S and P1D")
    return span


def _limits(count: int, *, positive: bool) -> AfterValidator:
    def checked(limits: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        if len(limits) != count or any(lower >= higher for lower, higher in pairwise(limits)):
            raise ValueError(f"must be {count} numbers in ascending order")
        if positive and limits[0] <= 0:
            raise ValueError("must be greater than 0")
        return limits

    return AfterValidator(checked)


Length = Annotated[timedelta, BeforeValidator(_iso)]
Short = Annotated[Length, AfterValidator(_short)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
TwoLimits = Annotated[tuple[Decimal, ...], _limits(2, positive=True)]
ThreeLimits = Annotated[tuple[Decimal, ...], _limits(3, positive=True)]
FourLimits = Annotated[tuple[Decimal, ...], _limits(4, positive=False)]


class PricingSettings(BaseModel):
    """`[sources.NAME.pricing]`; docs/pricing.md explains each with a drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    least_known: Percent = Decimal(50)  # of a span: where less of it is known, its mean is unknown

    rating_low: Decimal = Field(default=Decimal(-10), ge=-100, lt=0)  # % off the mean of the 24 h before: low from here down
    rating_high: Decimal = Field(default=Decimal(10), gt=0, le=1000)  # likewise: high from here up
    rating_hysteresis: Decimal = Field(default=Decimal(2), ge=0, le=50)  # % that a price must come back to be normal again
    rating_gap: Short = timedelta(minutes=15)  # a judgement that holds no longer than this gives way to its neighbours

    level_limits: FourLimits = (Decimal(-40), Decimal(-10), Decimal(15), Decimal(40))  # % off the mean of the 24 h before

    volatility_limits: ThreeLimits = (Decimal(15), Decimal(30), Decimal(50))  # coefficient of variation, %
    flat_day: Percent = Decimal(10)  # a day whose coefficient of variation is no greater has no best and no peak period

    trend_ahead: Short = timedelta(hours=3)  # how far a trend looks
    trend_limits: TwoLimits = (Decimal(3), Decimal(9))  # % off the price now: rising, strongly rising
    trend_floor: TwoLimits = (Decimal(2), Decimal(6))  # % of the mean price around: less is no trend
    trend_holds: Short = timedelta(minutes=45)  # how long another trend must hold to be a change

    best_flexibility: Percent = Decimal(15)  # how far from the least price of the day
    best_distance: Percent = Decimal(5)  # how far below the day's mean at the least
    best_length: Short = timedelta(minutes=60)
    peak_flexibility: Percent = Decimal(20)  # how far from the greatest price of the day
    peak_distance: Percent = Decimal(5)  # how far above the day's mean at the least
    peak_length: Short = timedelta(minutes=30)
    period_gap: Short = timedelta(minutes=15)  # an interruption no longer than this does not end a period
    period_spread: Percent = Decimal(25)  # standard deviation inside a period, of the day's mean, at the most
    periods_wanted: int = Field(default=2, ge=1, le=10)  # a day; where there are fewer, the flexibility is relaxed
    relaxation_step: Percent = Decimal(3)
    relaxation_steps: int = Field(default=11, ge=0, le=30)  # 0: never relaxed
    flexibility_most: Percent = Decimal(50)

    pattern_prominence: Percent = Decimal(16)  # of the day's spread: how far a price must move to make a turn
    phase_flat: Percent = Decimal(5)  # of the day's spread: what moves less is flat


USUAL = PricingSettings()

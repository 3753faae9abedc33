"""One local day, judged as far as somebody asks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from bridge.models.price import Curve
from bridge.pricing import periods
from bridge.pricing.figures import Figures, figures
from bridge.pricing.pattern import Shape, shape
from bridge.pricing.periods import Period
from bridge.pricing.ranks import Ranks
from bridge.pricing.settings import PricingSettings
from bridge.pricing.sums import SECOND, Sums, least_seconds
from bridge.pricing.volatility import Volatility, variation, volatility


class Day:
    """The known slots of one local day, judged as far as somebody asks."""

    def __init__(self, start: datetime, end: datetime, curve: Curve, settings: PricingSettings) -> None:
        self.start, self.end, self._settings = start, end, settings
        self.slots = curve.between(start, end)
        self.complete = curve.covers(start, end)

    @cached_property
    def sums(self) -> Sums:
        return Sums(self.slots)

    @cached_property
    def cv(self) -> Decimal | None:
        return variation(self.sums)

    @cached_property
    def figures(self) -> Figures | None:
        return figures(self.slots)

    @cached_property
    def ranks(self) -> Ranks:
        return Ranks(self.slots)

    @cached_property
    def volatility(self) -> Volatility | None:
        return volatility(self.slots, self.cv, self._settings.volatility_limits)

    @cached_property
    def shape(self) -> Shape | None:
        """The shape of the day, None unless the whole of it is known."""
        return shape(self.sums, self.cv, self._settings) if self.complete else None

    @cached_property
    def best(self) -> Sequence[Period]:
        return self._periods(periods.best)

    @cached_property
    def peak(self) -> Sequence[Period]:
        return self._periods(periods.peak)

    def _periods(self, found: Callable[[Sums, Decimal | None, PricingSettings], list[Period]]) -> Sequence[Period]:
        length = (self.end - self.start) // SECOND
        enough = self.sums.total(0, length).is_known(least_seconds(length, self._settings.least_known))
        return found(self.sums, self.cv, self._settings) if enough else ()

"""A device dispatches from a planned dispatch's start until just before its end."""

import pytest

from bridge.models.device import Device, Dispatch
from tests.support import utc

FIRST = Dispatch(start=utc("2026-06-10T10:00"), end=utc("2026-06-10T10:30"))
SECOND = Dispatch(start=utc("2026-06-10T10:30"), end=utc("2026-06-10T11:00"))
CAR = Device(
    id="1",
    title="Car",
    planned=(FIRST, SECOND),
    completed=(Dispatch(start=utc("2026-06-10T08:00"), end=utc("2026-06-10T09:00")),),
)


@pytest.mark.parametrize(
    ("moment", "running"),
    [
        ("2026-06-10T08:30", None),
        ("2026-06-10T09:59:59.999999", None),
        ("2026-06-10T10:00", FIRST),
        ("2026-06-10T10:29:59.999999", FIRST),
        ("2026-06-10T10:30", SECOND),
        ("2026-06-10T11:00", None),
    ],
)
def test_the_planned_dispatch_in_force_is_that_of_the_moment(moment: str, running: Dispatch | None) -> None:
    assert CAR.dispatching(utc(moment)) == running

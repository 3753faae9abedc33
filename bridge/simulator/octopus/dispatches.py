"""Dispatches: what is planned for the coming night, what was done in the last one, and boosts.

A planned dispatch is no longer told once it has begun: then only the device's state shows that it runs.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bridge.simulator.octopus.errors import kraken_error
from bridge.simulator.octopus.homes import Device, number
from bridge.simulator.octopus.platform import Visit
from bridge.simulator.octopus.times import HALF_HOUR, LONDON, at, stamp

EVENING = time(23, 30)
NIGHT_ENDS = timedelta(hours=6)  # after midnight: from then on the next night is planned
TOLD = timedelta(hours=12)  # how long a dispatch is told of after its end
DISPATCHES = 3  # of a night, each with up to half an hour before it and of up to an hour, the whole over by 05:00


@dataclass(frozen=True)
class Dispatch:
    """A span in which the device runs; `kwh` go into it."""

    start: datetime
    end: datetime
    type: str
    kwh: Decimal


def night_of(moment: datetime) -> date:
    """Return London's date of the evening that the night in question began or begins with."""
    return (moment.astimezone(LONDON).replace(tzinfo=None) - NIGHT_ENDS).date()


def night(device: Device, evening: date) -> list[Dispatch]:
    """Return the dispatches of a night, in order; always the same for the same device and date."""
    dispatches, start = [], at(evening, EVENING)
    for place in range(DISPATCHES):
        start += HALF_HOUR * number(device.id, evening, place, "gap", below=2)
        end = start + HALF_HOUR * (1 + number(device.id, evening, place, "length", below=2))
        dispatches.append(Dispatch(start, end, "SMART", _energy(device, end - start)))
        start = end + HALF_HOUR
    return dispatches


def _energy(device: Device, span: timedelta) -> Decimal:
    return (Decimal(str(device.power_kw)) * Decimal(span / timedelta(hours=1))).quantize(Decimal("0.01"))


def flex_planned_dispatches(visit: Visit, device_id: str) -> list[dict[str, Any]]:
    """Return what is yet to begin, and a boost that runs."""
    device = visit.platform.device(device_id)
    planned = _planned(visit, device)
    if boost := boost_of(visit, device):
        planned.insert(0, Dispatch(*boost, "BOOST", _energy(device, boost[1] - boost[0])))
    return [
        {"start": stamp(each.start), "end": stamp(each.end), "type": each.type, "energyAddedKwh": f"{each.kwh:.4f}"}
        for each in planned
    ]


def _planned(visit: Visit, device: Device) -> list[Dispatch]:
    live = device.lifecycle == "LIVE" and visit.platform.control(device).suspended_at is None
    return [each for each in night(device, night_of(visit.moment)) if live and each.start > visit.moment]


def planned_dispatches(visit: Visit, account_number: str) -> list[dict[str, Any]]:
    """Return the plans of all devices in the old form."""
    devices = devices_of(visit, account_number)
    planned = (dispatch for device in devices for dispatch in _planned(visit, device))
    return [_upside(each) for each in sorted(planned, key=lambda each: each.start)]


def completed_dispatches(visit: Visit, account_number: str) -> list[dict[str, Any]]:
    """Return what ended in the last twelve hours, the newest first."""
    done = [each for device in devices_of(visit, account_number) for each in _completed(visit, device)]
    told = [each for each in done if visit.moment - TOLD < each.end <= visit.moment]
    return [_upside(each) for each in sorted(told, key=lambda each: each.end, reverse=True)]


def devices_of(visit: Visit, account_number: str) -> tuple[Device, ...]:
    devices = visit.platform.account(account_number).devices
    if not devices:
        raise kraken_error("KT-CT-4301")
    return devices


def _completed(visit: Visit, device: Device) -> list[Dispatch]:
    control, evening = visit.platform.control(device), night_of(visit.moment)
    nights = [each for age in (1, 0) for each in night(device, evening - timedelta(days=age)) if device.lifecycle == "LIVE"]
    until = control.suspended_at or visit.moment
    boosts = [Dispatch(start, end, "BOOST", _energy(device, end - start)) for start, end in control.boosts]
    return [*(each for each in nights if each.end <= until), *boosts]


def _upside(dispatch: Dispatch) -> dict[str, Any]:
    """Return the form in which energy that is taken from the grid is negative."""
    start, end = stamp(dispatch.start), stamp(dispatch.end)
    source = "bump-charge" if dispatch.type == "BOOST" else "smart-charge"
    return {
        "start": start,
        "end": end,
        "startDt": start.replace("T", " "),
        "endDt": end.replace("T", " "),
        "deltaKwh": -int(dispatch.kwh),
        "delta": f"{-dispatch.kwh:.4f}",
        "meta": {"source": source, "location": "AT_HOME"},
    }


def boost_of(visit: Visit, device: Device) -> tuple[datetime, datetime] | None:
    """Return the boost that runs."""
    boosts = visit.platform.control(device).boosts
    return boosts[-1] if boosts and boosts[-1][0] <= visit.moment < boosts[-1][1] else None


def runs(visit: Visit, device: Device) -> bool:
    """Tell whether a planned dispatch is under way."""
    return any(each.start <= visit.moment < each.end for each in night(device, night_of(visit.moment)))

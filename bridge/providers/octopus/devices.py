"""The devices of Intelligent Octopus and their dispatches, each device's own.

A dispatch often vanishes from the plan as soon as it has begun, and now and then no plan can be had at all: what has begun goes
on while the device does not say otherwise. Completed ones bear no device: they are told apart by what was planned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.errors import NotFound
from bridge.models.device import Device, Dispatch
from bridge.providers.base import Known
from bridge.providers.octopus.documents import COMPLETED_DISPATCHES, DEVICES, PLANNED_DISPATCHES
from bridge.providers.octopus.household import Household
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import each, instant, number
from bridge.transport.graphql import Json

KEPT = timedelta(days=2)  # that a dispatch is remembered after its end
LIVE = "LIVE"
IDLE = frozenset({"smart_control_capable", "smart_control_off", "smart_control_not_available", "lost_connection", "retired"})


@dataclass(frozen=True)
class Owned:
    """A device at a property, with all that was ever planned for it and not yet forgotten."""

    account: str
    property: str
    device: Device
    past: tuple[Dispatch, ...] = ()  # begun, whether or not the plan still shows it


class Devices:
    """Keeps the devices of all accounts."""

    def __init__(self, kraken: Kraken) -> None:
        self._kraken = kraken
        self.owned: dict[str, Owned] = {}  # by device

    def of(self, property_: str) -> tuple[Device, ...]:
        return tuple(owned.device for owned in self.owned.values() if owned.property == property_)

    async def look(self, account: str, households: Sequence[Household], known: Known) -> None:
        """Learn which devices there are; what is planned for them is as it was. Raises SourceError."""
        try:
            listed = (await self._kraken.ask(DEVICES, account=account)).data.get("devices") or ()
        except NotFound:  # an account that never had one
            listed = ()
        properties = [household.id for household in households if household.account == account]
        found = each(listed, "device", lambda one: _owned(one, account, properties))
        kept = {device.id: device for household in households for device in known.devices(household.id)}
        others = {id_: owned for id_, owned in self.owned.items() if owned.account != account}
        mine = {owned.device.id: _kept(owned, self.owned.get(owned.device.id), kept.get(owned.device.id)) for owned in found}
        self.owned = {**others, **mine}

    async def plan(self, id_: str, moment: datetime) -> None:
        """Learn what is planned for one device; where no plan can be had at present the last one stays. Raises SourceError."""
        if (owned := self.owned.get(id_)) is None:
            return  # it has just been found to be gone
        device = owned.device
        result = await self._kraken.ask(PLANNED_DISPATCHES, account=owned.account, device=device.id)
        state = next((_state(one) for one in result.data.get("devices") or () if isinstance(one, dict)), device.state)
        told = result.data.get("flexPlannedDispatches")
        if told is None and result.error_at("flexPlannedDispatches") is not None:
            planned = device.planned  # KT-CT-4340 comes often, and says nothing of the plan
        else:
            planned = _planned(each(told, "planned dispatch", _dispatch), device, state, moment)
        begun = (one for one in planned if one.start <= moment)
        past = tuple(sorted({*owned.past, *begun}, key=_start))
        device = device.model_copy(update={"planned": planned, "state": state})
        self.owned[device.id] = replace(owned, device=device, past=tuple(one for one in past if one.end > moment - KEPT))

    async def complete(self, account: str, moment: datetime) -> None:
        """Learn what was done for the devices of an account. Raises SourceError."""
        result = await self._kraken.ask(COMPLETED_DISPATCHES, account=account)
        done = each(result.data.get("completedDispatches"), "completed dispatch", _completed)
        mine = [owned for owned in self.owned.values() if owned.account == account]
        for owned in mine:
            own = [one for one in done if len(mine) == 1 or any(_overlap(one, past) for past in owned.past)]
            known = {one.start: one for one in (*owned.device.completed, *own) if one.end > moment - KEPT}
            completed = tuple(known[start] for start in sorted(known))
            self.owned[owned.device.id] = replace(owned, device=owned.device.model_copy(update={"completed": completed}))


def _planned(told: list[Dispatch], device: Device, state: str | None, moment: datetime) -> tuple[Dispatch, ...]:
    running = [one for one in device.planned if one.start <= moment < one.end]
    vanished = [one for one in running if not any(_overlap(one, other) for other in told)]
    if state in IDLE:
        vanished = []
    return tuple(sorted((*told, *vanished), key=_start))


def _owned(one: Json, account: str, properties: Sequence[str]) -> Owned | None:
    status = one.get("status") or {}
    if status.get("current") not in (None, LIVE) or not properties:
        return None
    kind = one.get("deviceType")
    place = one.get("propertyId")
    device = Device(
        id=str(one["id"]),
        title=str(one.get("name") or kind or ""),
        type=str(kind).lower() if kind else None,
        state=_state(one),
    )
    return Owned(account, str(place) if str(place) in properties else properties[0], device)


def _kept(owned: Owned, before: Owned | None, stored: Device | None) -> Owned:
    old = before.device if before else stored
    if old is None:
        return owned
    device = owned.device.model_copy(update={"planned": old.planned, "completed": old.completed})
    return replace(owned, device=device, past=before.past if before else old.planned)


def _state(one: Json) -> str | None:
    state = (one.get("status") or {}).get("currentState")
    return str(state).lower() if state else None


def _dispatch(one: Json) -> Dispatch:
    kind, energy = one.get("type"), one.get("energyAddedKwh")
    start, end = instant(one["start"]), instant(one["end"])
    return _checked(Dispatch(
        start=start, end=end, type=str(kind).lower() if kind else None, energy_kwh=None if energy is None else number(energy)
    ))  # fmt: skip


def _completed(one: Json) -> Dispatch:
    delta = one.get("delta")  # kWh, negative into the device
    source = (one.get("meta") or {}).get("source")
    start, end = instant(one["start"]), instant(one["end"])
    energy = None if delta is None else -number(delta)
    return _checked(Dispatch(start=start, end=end, type=str(source).lower() if source else None, energy_kwh=energy))


def _checked(dispatch: Dispatch) -> Dispatch:
    if dispatch.end <= dispatch.start:
        raise ValueError("a dispatch ends before it begins")
    return dispatch


def _overlap(one: Dispatch, other: Dispatch) -> bool:
    return one.start < other.end and other.start < one.end


def _start(dispatch: Dispatch) -> tuple[datetime, datetime]:
    return dispatch.start, dispatch.end

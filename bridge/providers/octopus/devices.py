"""The devices of Intelligent Octopus and their dispatches, each device's own.

A dispatch often vanishes from the plan as soon as it has begun, and now and then no plan can be had at all: what has begun goes
on while the device does not say otherwise, and a plan that is suddenly empty is believed the second time. Completed ones bear no
device: they are told apart by what was planned.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.errors import Malformed, NotFound, SourceError
from bridge.models.device import Device, Dispatch
from bridge.providers.base import Known
from bridge.providers.octopus.documents import COMPLETED_DISPATCHES, DEVICES, PLANNED_DISPATCHES
from bridge.providers.octopus.household import Household
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import each, instant, number
from bridge.transport.graphql import Json

KEPT = timedelta(days=2)  # that a dispatch is remembered after its end
SOON = timedelta(minutes=5)  # more than from one plan to the next
LIVE = "LIVE"
OFF = frozenset({"smart_control_off", "smart_control_not_available", "lost_connection", "retired"})  # nothing will be dispatched
IDLE = OFF | {"smart_control_capable"}
NO_DEVICE = ("KT-CT-4301", "KT-CT-4313")
NO_PLAN = "KT-CT-4340"  # comes often, and says nothing of the plan


@dataclass(frozen=True)
class Owned:
    """A device at a property, with all that was ever planned for it and not yet forgotten."""

    account: str
    property: str
    device: Device
    past: tuple[Dispatch, ...] = ()  # begun, whether or not the plan still shows it
    doubted: tuple[Dispatch, ...] = ()  # planned, but the last answer did not show it


class Devices:
    """Keeps the devices of all accounts."""

    def __init__(self, kraken: Kraken) -> None:
        self._kraken = kraken
        self.owned: dict[str, Owned] = {}  # by device

    def of(self, property_: str) -> tuple[Device, ...]:
        return tuple(owned.device for owned in self.owned.values() if owned.property == property_)

    async def look(self, account: str, households: Sequence[Household], known: Known) -> None:
        """Learn which devices there are; what is planned for them is as it was.

        Raises SourceError, also where a part could not be read: then what was read is learnt, and nothing is forgotten.
        """
        listed, failed = await self._listed(account)
        homes = [household for household in households if household.account == account]
        read = each(listed, "device", lambda one: (_owned(one, account, [home.id for home in homes]),))  # (None,) where not live
        if failed is None and len(read) < len(listed):
            failed = Malformed("a device came in a shape that cannot be read")
        stored = {owned.device.id: owned for owned in _stored(account, homes, known)}
        before = {**stored, **{id_: owned for id_, owned in self.owned.items() if owned.account == account}}
        others = {id_: owned for id_, owned in self.owned.items() if owned.account != account}
        found = {one.device.id: _kept(one, before.get(one.device.id)) for (one,) in read if one is not None}
        self.owned = {**others, **(before if failed is not None else {}), **found}
        if failed is not None:
            raise failed

    async def _listed(self, account: str) -> tuple[list[Json], SourceError | None]:
        """Return the devices as they came, and what went wrong with a part of them. Raises SourceError."""
        try:
            result = await self._kraken.ask(DEVICES, account=account)
        except NotFound as error:
            if any(f"({code})" in str(error) for code in NO_DEVICE):  # an account that never had one
                return [], None
            raise
        failed = result.error_at("devices")
        return result.data.get("devices") or [], self._kraken.error(failed) if failed else None

    async def plan(self, id_: str, moment: datetime) -> None:
        """Learn what is planned for one device; where no plan can be had at present the last one stays. Raises SourceError."""
        if (owned := self.owned.get(id_)) is None:
            return  # it has just been found to be gone
        try:
            result = await self._kraken.ask(PLANNED_DISPATCHES, account=owned.account, device=id_)
        except SourceError as error:
            if f"({NO_PLAN})" in str(error):
                return
            raise
        states = [_state(one) for one in result.data.get("devices") or () if isinstance(one, dict)]
        told = result.data.get("flexPlannedDispatches")
        if told is None and result.error_at("flexPlannedDispatches") is not None:
            self.owned[id_] = _unplanned(owned, states, moment)
        else:
            state = states[0] if states else owned.device.state
            self.owned[id_] = _planned(owned, each(told, "planned dispatch", _dispatch), state, moment)

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


def _unplanned(owned: Owned, states: Sequence[str | None], moment: datetime) -> Owned:
    """Return `owned` after an answer without a plan: only its state may end what has begun."""
    planned = owned.device.planned
    if states and states[0] in IDLE:
        planned = tuple(one for one in planned if one.start > moment)
    return _after(owned, planned, states[0] if states else owned.device.state, moment)


def _planned(owned: Owned, told: list[Dispatch], state: str | None, moment: datetime) -> Owned:
    """Return `owned` after the answer `told`."""
    sure = [one for one in owned.device.planned if one not in owned.doubted]
    running = [one for one in sure if one.start <= moment < one.end]
    same = list(_same(sorted(told, key=_start), running, moment))
    vanished = [one for one in running if not any(_overlap(one, other) for other in told)]
    if state in IDLE:
        vanished = []
    doubted = [] if told or state in OFF else [one for one in sure if one.start > moment + SOON]
    planned = tuple(sorted((*same, *vanished, *doubted), key=_start))
    return replace(_after(owned, planned, state, moment), doubted=tuple(doubted))


def _same(told: Sequence[Dispatch], running: Sequence[Dispatch], moment: datetime) -> Iterator[Dispatch]:
    """Yield what was told; where it is one of the `running` that was moved, with the start of that."""
    left = list(running)
    for one in told:
        before = next((other for other in left if one.start <= moment + SOON and _overlap(one, other)), None)
        if before is not None:
            left.remove(before)
        yield one.model_copy(update={"start": min(one.start, before.start)}) if before else one


def _after(owned: Owned, planned: tuple[Dispatch, ...], state: str | None, moment: datetime) -> Owned:
    begun = {one.start: one for one in (*owned.past, *planned) if one.start <= moment}
    past = tuple(sorted((one for one in begun.values() if one.end > moment - KEPT), key=_start))
    return replace(owned, device=owned.device.model_copy(update={"planned": planned, "state": state}), past=past)


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


def _stored(account: str, homes: Sequence[Household], known: Known) -> Iterator[Owned]:
    """Yield the devices that are known from before a restart."""
    for home in homes:
        for device in known.devices(home.id):
            yield Owned(account, home.id, device, past=device.planned)


def _kept(owned: Owned, before: Owned | None) -> Owned:
    if before is None:
        return owned
    device = owned.device.model_copy(update={"planned": before.device.planned, "completed": before.device.completed})
    return replace(owned, device=device, past=before.past, doubted=before.doubted)


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

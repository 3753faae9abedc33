"""Carries out the operations of `operations.py`: queries as often as need be, a write once."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from bridge.errors import Malformed, NotFound, Refused
from bridge.models.payload import SpanPayload
from bridge.providers.base import Known
from bridge.providers.octopus import figures
from bridge.providers.octopus import operations as words
from bridge.providers.octopus.devices import Devices
from bridge.providers.octopus.documents import (
    BALANCE,
    BOOST,
    CHARGE_PREFERENCES,
    ELECTRICITY_READING,
    GAS_READING,
    JOIN_SAVING_SESSION,
    SAVING_SESSIONS,
    SMART_CONTROL,
    TRANSACTIONS,
)
from bridge.providers.octopus.household import GAS, IMPORT, PENCE
from bridge.providers.octopus.households import Households
from bridge.providers.octopus.kraken import Kraken
from bridge.providers.octopus.raw import each, number
from bridge.providers.octopus.readings import Readings
from bridge.providers.octopus.task import Desk
from bridge.transport.graphql import Json
from bridge.transport.http import unknown

Do = Callable[[Any, Known, datetime], Awaitable[BaseModel]]


class Commands:
    """The operations of one source."""

    def __init__(self, desk: Desk, households: Households, devices: Devices, readings: Readings) -> None:
        self._desk, self._households, self._devices, self._readings = desk, households, devices, readings
        self._by_name: dict[str, Do] = {
            "transactions": self._transactions,
            "balance": self._balance,
            "telemetry": self._telemetry,
            "dispatches": self._dispatches,
            "devices": self._list_devices,
            "saving_sessions": self._saving_sessions,
            "boost_start": lambda given, _, __: self._switch(BOOST, "updateBoostCharge", given.device_id, "BOOST"),
            "boost_cancel": lambda given, _, __: self._switch(BOOST, "updateBoostCharge", given.device_id, "CANCEL"),
            "smart_control_suspend": lambda given, _, __: self._control(given.device_id, "SUSPEND"),
            "smart_control_resume": lambda given, _, __: self._control(given.device_id, "UNSUSPEND"),
            "charge_preferences_set": self._prefer,
            "saving_session_join": self._join,
            "meter_reading_send": self._send,
        }

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        """Return what the provider answered. Raises SourceError."""
        return await self._by_name[operation](arguments, known, moment)

    # queries

    async def _transactions(self, given: words.Paged, _: Known, __: datetime) -> words.Transactions:
        about: Json = {"account": await self._account(), "first": given.first, "after": given.after}
        result = await self._desk.kraken.ask(TRANSACTIONS, **about)
        nodes, following = self._desk.kraken.page(result, ("account", "transactions"))
        found = each(nodes, "transaction", lambda node: _transaction(node, self._desk.tenant.currency))
        return words.Transactions(transactions=tuple(found), next=following)

    async def _balance(self, _: words.Nothing, __: Known, moment: datetime) -> words.Balances:
        found = []
        for account in await self._accounts():
            data = (await self._desk.kraken.ask(BALANCE, account=account)).data
            found.append(figures.balance(data, self._desk.tenant.currency, moment))
        return words.Balances(balance=tuple(found))

    async def _telemetry(self, _: words.Nothing, known: Known, moment: datetime) -> words.Telemetry:
        supplies = [
            supply for home in await self._households.at_hand(known, moment) if (supply := home.supply(IMPORT)) and supply.device
        ]
        if not supplies:
            raise NotFound("no meter of this account has telemetry")
        values = [value for supply in supplies for value in await self._readings.live(supply)]
        return words.Telemetry(telemetry=tuple(values))

    async def _list_devices(self, _: words.Nothing, known: Known, moment: datetime) -> words.Devices:
        homes = await self._households.at_hand(known, moment)
        for account in dict.fromkeys(home.account for home in homes):
            await self._devices.look(account, homes, known)
        return words.Devices(devices=self._told())

    async def _dispatches(self, given: words.Nothing, known: Known, moment: datetime) -> words.Dispatches:
        await self._list_devices(given, known, moment)
        for id_ in list(self._devices.owned):
            await self._devices.plan(id_, moment)
        for account in {owned.account for owned in self._devices.owned.values()}:
            await self._devices.complete(account, moment)
        return words.Dispatches(dispatches=self._told())

    def _told(self) -> tuple[words.OneDevice, ...]:
        return tuple(words.OneDevice.of(owned.device) for owned in self._devices.owned.values())

    async def _saving_sessions(self, _: words.Nothing, __: Known, ___: datetime) -> words.SavingSessions:
        result = await self._backend().ask(SAVING_SESSIONS, account=await self._account())
        spans = figures.saving_sessions(result.data).spans
        return words.SavingSessions(saving_sessions=tuple(map(SpanPayload.of, spans)))

    # writes

    async def _switch(self, document: str, root: str, device: str, action: str) -> words.DeviceState:
        result = await self._desk.kraken.write(document, input={"deviceId": device, "action": action})
        confirmed = _confirmed(result.data, root)
        status = confirmed.get("status") or {}
        state = status.get("currentState")
        return words.DeviceState(
            device_id=str(confirmed.get("id") or device),
            state=str(state).lower() if state else None,
            suspended=status.get("isSuspended"),
        )

    def _control(self, device: str, action: str) -> Awaitable[words.DeviceState]:
        return self._switch(SMART_CONTROL, "updateDeviceSmartControl", device, action)

    async def _prefer(self, given: words.ChargePreferences, _: Known, __: datetime) -> words.Preferences:
        days = {day: target for target in given.schedules for day in target.days}
        schedules = [_scheduled(day, days[day]) for day in words.WEEK]
        about = {"deviceId": given.device_id, "mode": given.mode.upper(), "unit": given.unit.upper(), "schedules": schedules}
        confirmed = _confirmed((await self._desk.kraken.write(CHARGE_PREFERENCES, input=about)).data, "setDevicePreferences")
        preferences = confirmed.get("preferences") or {}
        return words.Preferences(
            device_id=str(confirmed.get("id") or given.device_id),
            mode=_lower(preferences.get("mode")),
            unit=_lower(preferences.get("unit")),
            schedules=tuple(each(preferences.get("schedules"), "schedule", _target)),
        )

    async def _join(self, given: words.JoinSession, _: Known, __: datetime) -> words.Joined:
        about = {"accountNumber": await self._account(), "eventCode": given.event_code}
        confirmed = _confirmed((await self._backend().write(JOIN_SAVING_SESSION, input=about)).data, "joinSavingSessionsEvent")
        return words.Joined(joined_event_codes=tuple(map(str, confirmed.get("joinedEventCodes") or ())))

    async def _send(self, given: words.SendReading, known: Known, moment: datetime) -> words.Sent:
        homes = await self._households.at_hand(known, moment)
        home = next((home for home in homes if given.site in (None, home.id)), None)
        supply = home.supply(given.meter) if home else None
        if supply is None or not supply.serials:
            raise NotFound(f"there is no {given.meter} meter{f' at site {given.site}' if given.site else ''}")
        on = str(given.on or moment.astimezone(self._desk.tenant.zone).date())
        about: Json = {"serial": supply.serials[0], "on": on}
        if given.meter == GAS:
            result = await self._desk.kraken.write(GAS_READING, mprn=supply.number, reading=given.reading, **about)
            confirmed = _confirmed(result.data, "createGasMeterReading")
        else:
            readings = [{"registerId": given.register_id, "reading": given.reading}]
            result = await self._desk.kraken.write(ELECTRICITY_READING, mpan=supply.number, readings=readings, **about)
            confirmed = _confirmed(result.data, "createElectricityMeterReading")
        if reasons := list(_reading_errors(confirmed)):
            raise Refused(f"the reading was not taken: {'; '.join(reasons)}", reasons=reasons)
        return words.Sent(meter=given.meter, reading=given.reading, at=moment)

    # whom it concerns

    async def _accounts(self) -> list[str]:
        known = list(dict.fromkeys(household.account for household in self._households.all))
        return known or await self._households.numbers()

    async def _account(self) -> str:
        return (await self._accounts())[0]

    def _backend(self) -> Kraken:
        if self._desk.backend is None:
            raise Refused(f"the tenant {self._desk.settings.tenant} has no saving sessions")
        return self._desk.backend


def _confirmed(data: Json, root: str) -> Json:
    found = data.get(root)
    if not isinstance(found, dict):
        raise unknown(Malformed(f"the provider confirmed nothing: {root} is empty"))
    return found


def _transaction(node: Json, currency: str) -> words.Transaction:
    amounts = node.get("amounts") or {}
    return words.Transaction(
        id=node.get("id"),
        kind=str(node.get("__typename") or "").lower(),
        title=node.get("title"),
        posted=date.fromisoformat(node["postedDate"]) if node.get("postedDate") else None,
        gross=_major(amounts.get("gross")),
        net=_major(amounts.get("net")),
        tax=_major(amounts.get("tax")),
        balance=_major(node.get("balanceCarriedForward")),
        currency=currency,
        reversed=node.get("isReversed"),
    )


def _major(pence: Any) -> float | None:
    return None if pence is None else float(number(pence) / PENCE)


def _scheduled(day: str, target: words.Target) -> Json:
    about: Json = {"dayOfWeek": day.upper(), "time": target.time, "max": _plain(target.max)}
    return about if target.min is None else {**about, "min": _plain(target.min)}


def _plain(value: float) -> str:
    return format(Decimal(str(value)).normalize(), "f")


def _target(schedule: Json) -> words.Target:
    least = schedule.get("min")
    return words.Target(
        time=str(schedule["time"])[:5],
        max=float(schedule["max"]),
        min=None if least is None else float(least),
        days=(str(schedule["dayOfWeek"]).lower(),),  # type: ignore[arg-type]
    )


def _lower(value: object) -> str | None:
    return str(value).lower() if value else None


def _reading_errors(confirmed: Json) -> list[str]:
    found = []
    for entry in confirmed.get("readingErrors") or ():
        if not isinstance(entry, dict):
            continue
        texts = [str(error.get("message")) for error in entry.get("errors") or () if isinstance(error, dict)]
        found.append(f"{entry.get('field')}: {', '.join(texts) or 'refused'}")
    return found

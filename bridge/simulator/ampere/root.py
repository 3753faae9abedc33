"""The root fields of the simulated gateway, and what hangs on them: companies, facilities, devices, readings, page by page."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from bridge.simulator.ampere.faults import AmpereFault
from bridge.simulator.ampere.plant import UNITS, Company, Device, Facility
from bridge.simulator.graphql import resolve

MOST = 1000  # rows of a page

Row = dict[str, Any]


@dataclass(frozen=True)
class Root:
    """The root fields for one request; what is carried out is added to `written`."""

    companies: Sequence[Company]
    written: list[tuple[str, float]]
    moment: datetime
    fault: AmpereFault | None

    def me(self) -> Row:
        return {"id": "u-1", "email": "operator@example.com", "companies": self._companies}

    def company(self, id: str) -> Row | None:  # noqa: A002 - the provider's name
        return next((self._company(company) for company in self.companies if company.id == id), None)

    def facility(self, id: str) -> Row | None:  # noqa: A002 - the provider's name
        facility = self._by_id().get(id)
        return self._facility(facility) if facility else None

    def facilities(self, ids: Sequence[str]) -> list[Row | None]:
        return [self.facility(id_) for id_ in ids]

    def device(self, facility_id: str, **cursors: Any) -> Row:
        facility = self._by_id().get(facility_id)
        if facility is None:
            raise GraphQLError("There is no such facility.", extensions={"code": "BAD_USER_INPUT"})
        return self._page([_device(device) for device in facility.devices], **cursors)

    def set_power_limit(self, facility_id: str, limit: float) -> Row:
        self.written.append((facility_id, limit))
        return self._facility(self._by_id()[facility_id])

    def _by_id(self) -> dict[str, Facility]:
        return {facility.id: facility for company in self.companies for facility in company.facilities}

    def _companies(self, **cursors: Any) -> Row:
        return self._page([self._company(company) for company in self.companies], **cursors)

    def _company(self, company: Company) -> Row:
        def facilities(**cursors: Any) -> Row:
            return self._page([self._facility(facility) for facility in company.facilities], **cursors)

        return {"id": company.id, "name": company.name, "facilities": facilities}

    def _facility(self, facility: Facility) -> Row:
        def readings(readingInput: Row, **cursors: Any) -> Row:  # noqa: N803 - the provider's name
            if self.fault is AmpereFault.DOWNSTREAM:
                raise GraphQLError("The readings' service does not answer.", extensions={"code": "DOWNSTREAM_SERVICE_ERROR"})
            start, end = _instant(readingInput["from"]), _instant(readingInput["to"])
            end = min(end, self.moment)
            found = facility.readings(readingInput["readingTypes"], start, end)
            return self._page([_reading(*row) for row in found], **cursors)

        def analysis(analysisInput: Row) -> list[Row]:  # noqa: N803 - the provider's name
            start, end = analysisInput["from"], analysisInput["to"]
            over = min(_instant(end), self.moment)
            figures = {kind: facility.analysis(kind, _instant(start), over) for kind in analysisInput["types"]}
            return [{"type": kind, "from": start, "to": end, "value": value, "unit": UNITS.get(kind)}
                    for kind, value in figures.items() if value is not None]  # fmt: skip

        return {
            "id": facility.id,
            "name": facility.name,
            "timezone": facility.timezone,
            "timeZone": facility.timezone,
            "currency": facility.currency,
            "money": facility.currency,
            "nominalPower": facility.peak,
            "address": facility.address,
            "powerLimit": next((limit for id_, limit in reversed(self.written) if id_ == facility.id), 1.0),
            "readings": readings,
            "analysis": analysis,
        }

    def _page(self, rows: Sequence[Row], first: int = 100, after: str | None = None) -> Row:
        if not 0 < first <= MOST:
            raise GraphQLError(f"first must be from 1 to {MOST}.", extensions={"code": "BAD_USER_INPUT"})
        stuck, begin = self.fault is AmpereFault.STUCK, _position(after)
        end = min(begin + first, len(rows))
        nodes = list(rows[begin:end])
        if self.fault is AmpereFault.ODD_ROW and nodes and "timestamp" in nodes[0]:
            nodes[0] = {**nodes[0], "timestamp": "once upon a time"}
        more = stuck or end < len(rows)
        return {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": f"at:{begin if stuck else end}" if more else None}}


def resolved(source: object, info: GraphQLResolveInfo[Any], **arguments: object) -> object:
    """Resolve as all do, and call what stands in a row to be called."""
    value = source.get(info.field_name) if isinstance(source, dict) else None
    return value(**arguments) if callable(value) else resolve(source, info, **arguments)


def _position(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.startswith("at:") or not cursor[3:].isdigit():
        raise GraphQLError("The cursor is not one that was given out.", extensions={"code": "BAD_USER_INPUT"})
    return int(cursor[3:])


def _instant(text: Any) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is not None:
            return moment
    raise GraphQLError(f"{text} is no DateTime.", extensions={"code": "BAD_USER_INPUT"})


def _device(device: Device) -> Row:
    types = [{"id": kind, "name": kind, "unit": UNITS[kind]} for kind in device.reads]
    return {"id": device.id, "name": device.name, "type": device.type, "serialNumber": f"SN-{device.id}", "readingTypes": types}


def _reading(device: Device, kind: str, moment: datetime, value: float) -> Row:
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"deviceId": device.id, "readingType": kind, "timestamp": stamp, "value": value}

"""What a provider declares, as operations of a source: a site goes by its topic name outside and by the provider's id inside."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.commands import catalogue
from bridge.commands.declared import offers
from bridge.commands.offer import Offer
from bridge.errors import NotFound
from bridge.providers.base import Executor, Kind, Known, Operation, Provider, SourceSettings
from tests.commands.held import held
from tests.commands.office import NOW


class Wanted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    site: str | None = None
    limit: int = 80


class Nothing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(BaseModel):
    site: str
    value: Decimal
    at: datetime
    note: str | None = None


class Rows(BaseModel):
    rows: tuple[Row, ...] = ()
    site: str | None = None
    name: str = ""


OPERATIONS = {
    "rows": Operation(Kind.QUERY, "some rows", Wanted, Rows),
    "switch": Operation(Kind.WRITE, "switch something", Nothing, Rows),
}


@dataclass
class Source:
    """Carries out what it is asked for."""

    answer: Rows = field(default_factory=Rows)
    executed: list[tuple[str, BaseModel, datetime]] = field(default_factory=list)

    async def execute(self, operation: str, arguments: BaseModel, known: Known, moment: datetime) -> BaseModel:
        self.executed.append((operation, arguments, moment))
        return self.answer


def offered(source: Source) -> dict[str, Offer]:
    return {offer.name: offer for offer in offers("home", OPERATIONS, source, held())}


async def asked(source: Source, operation: str, **arguments: Any) -> Any:
    offer = offered(source)[operation]
    return await offer.run(offer.read(arguments), NOW)


def test_an_offer_tells_what_the_provider_declared() -> None:
    found = [(offer.full_name, offer.kind, offer.about, offer.remote, offer.arguments, offer.result)
             for offer in offered(Source()).values()]  # fmt: skip
    assert found == [
        ("home.rows", Kind.QUERY, "some rows", True, Wanted, Rows),
        ("home.switch", Kind.WRITE, "switch something", True, Nothing, Rows),
    ]


async def test_a_site_goes_in_as_the_provider_s_id_and_comes_out_under_its_topic_name() -> None:
    row = Row(site="id-2", value=Decimal("1.5"), at=NOW, note="id-2")
    source = Source(Rows(rows=(row, row.model_copy(update={"site": "id-of-another"})), site="id-1", name="id-1"))
    at = "2026-06-10T10:05:00Z"
    assert await asked(source, "rows", site="cabin") == {
        "rows": [
            {"site": "cabin", "value": 1.5, "at": at, "note": "id-2"},
            {"site": "id-of-another", "value": 1.5, "at": at, "note": "id-2"},
        ],
        "site": "holm-street",
        "name": "id-1",  # only a site is called so
    }
    assert source.executed == [("rows", Wanted(site="id-2"), NOW)]


async def test_without_a_site_the_arguments_go_in_as_they_are() -> None:
    source = Source()
    assert await asked(source, "rows", limit=5) == {"rows": [], "site": None, "name": ""}
    await asked(source, "switch")
    assert source.executed == [("rows", Wanted(limit=5), NOW), ("switch", Nothing(), NOW)]


@pytest.mark.parametrize("site", ["id-1", "Cabin", "", "x" * 100])
async def test_a_site_that_nobody_knows_is_not_found_and_nobody_is_asked(site: str) -> None:
    source = Source()
    with pytest.raises(NotFound) as caught:
        await asked(source, "rows", site=site)
    assert str(caught.value) == f"there is no site {site[:64]}; there is: holm-street, cabin"
    assert source.executed == []


def test_arguments_that_the_provider_did_not_declare_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        offered(Source())["rows"].read({"limits": 5})


async def refresh() -> list[str]:
    return []


def test_a_source_that_carries_nothing_out_offers_what_every_source_does() -> None:
    provider = Provider(settings=SourceSettings, source=lambda settings, surroundings: None, operations=OPERATIONS)  # type: ignore[arg-type,return-value]
    executor, other = Source(), object()
    assert isinstance(executor, Executor)
    names = [
        [offer.full_name for offer in catalogue.offers("home", provider, source, held(), {}, refresh)]  # type: ignore[arg-type]
        for source in (executor, other)
    ]
    every = ["home.prices", "home.sites", "home.readings", "home.refresh"]
    assert names == [[*every, "home.rows", "home.switch"], every]

"""`kwh2mqtt introspect` of an ampere.cloud account: field by field what to change in the profile, and where."""

from pathlib import Path

import pytest

from bridge.app import opened
from bridge.introspect import introspect
from bridge.providers.ampere.load import SHIPPED
from bridge.redact import Redactor
from bridge.simulator.ampere import AGEING, PATH, RENAMED, SDL, Ampere
from bridge.simulator.server import Server
from tests.providers.plant import NOON, ONE_PARK, TOKEN, configured
from tests.support import Impatient

SECTIONS = ["companies", "facilities", "devices", "poll", "readings", "analysis"]
MEND = f"Mend it in {SHIPPED}"


async def introspected(folder: Path, sdl: str) -> bool:
    clock = Impatient(NOON)
    simulated = Ampere(clock.now, token=TOKEN, companies=ONE_PARK, sdl=sdl)
    async with Server(simulated.handle) as server:
        return await introspect(configured(folder, f"{server.url}{PATH}"), Redactor([TOKEN]), "plant")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what is said of the documents."""
    *told, saved = capsys.readouterr().out.splitlines()
    assert saved.startswith("ok         plant: the schema is saved as ")
    return told


async def test_every_document_of_the_profile_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await introspected(tmp_path, SDL)
    assert lines(capsys) == [f"ok         {section}: fits the schema" for section in SECTIONS]


async def test_what_was_renamed_is_told_field_by_field_with_the_nearest_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not await introspected(tmp_path, RENAMED)
    money = "It has: address, analysis, id, money, name, nominalPower, powerLimit, readings, timeZone."
    unlike = "Unknown argument 'readingInput' on field 'Facility.readings'. It takes: after, first, input."
    lacking = "Argument 'Facility.readings(input:)' of type 'ReadingInput!' is required, but it was not provided."
    types = "Variable '$types' of type '[String!]!' used in position expecting type '[ID!]!'."
    company = "Argument 'Query.device(companyId:)' of type 'ID!' is required, but it was not provided."
    told = lines(capsys)
    assert sorted(told) == sorted(
        [
            "ok         companies: fits the schema",
            f"fault      facilities: Cannot query field 'timezone' on type 'Facility'. Did you mean 'timeZone'? {MEND}",
            f"fault      facilities: Cannot query field 'currency' on type 'Facility'. {money} {MEND}",
            f"fault      devices: {company} {MEND}",
            f"fault      poll: {unlike} {MEND}",
            f"fault      poll: {lacking} {MEND}",
            f"fault      poll: {types.replace('$types', '$analysisTypes')} {MEND}",
            f"fault      readings: {unlike} {MEND}",
            f"fault      readings: {lacking} {MEND}",
            f"fault      analysis: {types} {MEND}",
        ]
    )


async def test_what_is_deprecated_is_told_with_its_reason_and_kept_for_health(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await introspected(tmp_path, AGEING)
    reason = "Facility.currency is deprecated: It becomes `money` on 2026-12-31."
    assert f"deprecated facilities: {reason}" in lines(capsys)
    with opened(tmp_path / "state", Impatient(NOON)) as store:
        assert store.deprecations("plant", "ampere") == (f"facilities: {reason}",)

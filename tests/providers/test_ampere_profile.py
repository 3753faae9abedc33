"""The profile: found where it is looked for, and every fault in it named with the file, the key and the mend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

from bridge.errors import Malformed, Misconfigured
from bridge.providers.ampere import load as profiles
from bridge.providers.ampere.expression import Expression
from bridge.providers.ampere.load import SHIPPED
from bridge.providers.ampere.profile import WORDS
from bridge.providers.ampere.settings import AmpereSettings
from bridge.settings import load
from bridge.simulator.ampere import SDL, Company, park
from tests.providers.plant import plant

ROOT = Path(__file__).resolve().parents[2]
TEXT = SHIPPED.read_text("utf-8")
SOURCE = '[sources.plant]\nprovider = "ampere"\ntoken = "a-token"\n'


def faults(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a profile, without its place."""
    file = folder / "mine.toml"
    file.write_text(text, "utf-8")
    found = profiles.faults(file)
    assert all(fault.file == str(file) for fault in found)
    return [f"{fault.key}: {fault.problem}; {fault.mend}".lower() for fault in found]


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


# the shipped one


def test_the_shipped_profile_is_without_a_fault_and_fits_the_simulators_schema() -> None:
    profile = profiles.read(SHIPPED)
    assert list(profiles._judged(profile, "here")) == []
    documents = {name: document.document for name, document in profile.documents().items()}
    assert {name: validate(build_schema(SDL), parse(text)) for name, text in documents.items()} == {
        name: [] for name in documents
    }


def test_the_shipped_profile_says_that_it_is_unconfirmed_and_what_to_do() -> None:
    head = TEXT.partition("\n\n")[0]
    assert "UNCONFIRMED" in head
    assert "kwh2mqtt introspect SOURCE" in head
    assert 'profile = "ampere.toml"' in head


def test_every_word_for_a_variable_is_explained_in_its_head() -> None:
    head = TEXT.partition("page_size")[0]
    words = {word for section in WORDS.values() for word in section}
    assert [word for word in sorted(words) if not word.endswith("_ms") and word not in head] == []


def test_the_shipped_profile_is_seen_in_config() -> None:
    assert (ROOT / "config" / "ampere.toml").read_text("utf-8") == TEXT


def test_it_is_read_without_a_graphql_library(tmp_path: Path) -> None:
    program = "import sys; from bridge.providers.ampere import load; load.read(load.SHIPPED); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in ran.stdout.split() if name.startswith("graphql")] == []


# where it is found


def found(folder: Path, keys: str = "") -> Path:
    (folder / "bridge.toml").write_text(SOURCE + keys)
    settings = load(folder / "bridge.toml").sources["plant"]
    assert isinstance(settings, AmpereSettings)
    return settings.profile


def test_where_nothing_is_said_the_shipped_one_is_read(tmp_path: Path) -> None:
    assert found(tmp_path) == SHIPPED
    assert found(tmp_path, 'profile = "config/ampere.toml"') == SHIPPED
    assert AmpereSettings.model_validate({"provider": "ampere", "token": "a"}).profile == SHIPPED


@pytest.mark.parametrize("place", ["ampere.toml", "config/ampere.toml"])
def test_one_of_its_usual_name_beside_the_configuration_goes_before_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / place).write_text(TEXT, "utf-8")
    assert found(tmp_path) == tmp_path / place


def test_a_relative_path_begins_at_the_configuration_file_and_an_absolute_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(TEXT, "utf-8")
    assert found(tmp_path, 'profile = "mine.toml"') == tmp_path / "mine.toml"
    assert found(tmp_path, f'profile = "{SHIPPED}"') == SHIPPED


def test_one_that_is_not_there_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        found(tmp_path, 'profile = "other.toml"')
    mend = "give the path of a profile, or leave it out for the one that comes with kwh2mqtt"
    assert str(caught.value) == f"{tmp_path / 'other.toml'}: cannot be read (No such file or directory); {mend}"


def test_the_program_refuses_a_faulty_profile_with_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "ampere.toml").write_text(changed('items = "device.nodes"', 'items = "device.["'), "utf-8")
    (tmp_path / "bridge.toml").write_text(SOURCE)
    command = [sys.executable, "-m", "bridge", "check", "--config", str(tmp_path / "bridge.toml")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=False)
    assert ran.returncode == 2
    assert (
        f"{str(tmp_path / 'ampere.toml').lower()}: devices.items: is wrong: is no jmespath" in (ran.stdout + ran.stderr).lower()
    )


# what can be wrong


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "query Companies($first: Int, $after: String) {",
            "query Companies($first: Int, $after: String) {{",
            "companies.document: cannot be read (line 1: Expected Name, found '{'); put it right there",
        ),
        (
            "query Companies(",
            "mutation Companies(",
            "companies.document: is a mutation; ask with a query; writes are for documents of your own",
        ),
        (
            "device(facilityId: $facility,",
            "device(facilityId: $plant,",
            "devices.document: uses $plant, which it does not declare; declare it with its type behind the name",
        ),
        (
            'variables = { company = "company",',
            'variables = { firm = "company",',
            "facilities.variables.firm: is no variable that the document declares; declare $firm there, or take it out here",
        ),
        (
            'variables = { company = "company",',
            'variables = { company = "firm",',
            "facilities.variables.company: firm is none of our words; use one of: company, first, after",
        ),
        (
            'dayTo = "day_to"\n',
            "",
            (
                "poll.variables.dayTo: is missing, and the document wants it; "
                'say what it is told: dayTo = "facility", or another of our words'
            ),
        ),
        (
            'next = "device.pageInfo | (hasNextPage && endCursor)"\n',
            "",
            "devices.next: and a variable that is told `after` belong together; give both, or none",
        ),
        (
            'facility = "facility"\ntypes',
            "types",
            "poll.variables: must tell for which facility it asks; tell a variable either facility or facilities",
        ),
        (
            'of = "analysis"',
            'of = "guesses"',
            "quantities.3.of: is wrong: input should be 'readings' or 'analysis'; correct its value",
        ),
        (
            'quantity = "power"',
            'quantity = "Power"',
            "quantities.0.quantity: is wrong: must be lower-case letters, digits and -; correct its value",
        ),
        ('at = "timestamp"\n', "", "poll.series.0: is wrong: give either at, or start and end; correct its value"),
        ('default_timezone = "Europe/Berlin"', 'default_timezone = "Berlin"',
         "facilities.default_timezone: is wrong: is not a known time zone; correct its value"),
        ('window = "PT1H"', 'windows = "PT1H"', "poll.windows: is not a known key; did you mean window?"),
        ("page_size = 500", "page_size = ", ": is not TOML: Invalid value (at line 16, column 15); mend the line (https://toml.io)"),
    ],
)  # fmt: skip
def test_a_fault_names_file_key_and_mend(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert expected.lower() in faults(tmp_path, changed(old, new))


@pytest.mark.parametrize("expression", ["device.[", "", "a ||", "nodes[?x", "foo(bar)baz"])
def test_a_mapping_that_is_no_jmespath_is_a_fault(tmp_path: Path, expression: str) -> None:
    [fault] = faults(tmp_path, changed('items = "device.nodes"', f'items = "{expression}"'))
    assert fault.startswith("devices.items: is wrong: is no jmespath (")


def test_companies_and_the_word_for_them_belong_together(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("[companies]")] + TEXT[TEXT.index("[facilities]") :]
    mend = "add a section [companies], and tell a variable of [facilities] `company`; or leave both out"
    assert faults(tmp_path, text) == [f"companies: is there to tell [facilities] of which company they are; {mend}".lower()]


# a mapping that does not fit the answer


def own(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "mine.toml").write_text(text, "utf-8")
    return folder / "mine.toml"


COMPANIES, NEXT = 'items = "me.companies.nodes"', 'next = "me.companies.pageInfo | (hasNextPage && endCursor)"'


@pytest.mark.parametrize(
    ("section", "old", "new", "told"),
    [
        ("companies", COMPANIES, 'items = "me.firms.nodes"', "'me.firms.nodes' found nothing in the answer"),
        ("companies", COMPANIES, 'items = "me.companies"', "'me.companies' found no list in the answer"),
        ("companies", COMPANIES, 'items = "length(me.x)"', "'length(me.x)' cannot be applied to the answer"),
        ("companies", 'id = "id"', 'id = "uuid"', "no row of the answer can be read by it"),
        ("companies", NEXT, 'next = "me.companies"', "next = 'me.companies' found no cursor in the answer"),
        ("poll", 'each = "[facility]"', 'each = "facility"', "'facility' found no list in the answer"),
        ("poll", 'rows = "readings.nodes"', 'rows = "readings"', "rows = 'readings' found no list in the answer"),
    ],
)
async def test_an_odd_whole_names_the_mapping_and_the_file(tmp_path: Path, section: str, old: str, new: str, told: str) -> None:
    file = own(tmp_path, (old, new))
    async with plant(tmp_path, profile=file) as of:
        message = (await of.poll())["error"]["message"]
        assert message.startswith(f"[{section}] of the profile: {told}")
        assert message.endswith(f"mend it in {file}")


async def test_a_series_that_does_not_fit_leaves_the_others(tmp_path: Path) -> None:
    file = own(tmp_path, ('at = "timestamp"', 'at = "time"'))
    async with plant(tmp_path, profile=file) as of:
        health = await of.poll()
        told = f"[poll] of the profile: no row that rows = 'readings.nodes' found can be read; mend it in {file}"
        assert health["error"] == {"code": "unavailable", "message": told}
        assert {topic.rsplit("/", 1)[1] for topic in of.topics()} == {"energy", "self-consumption"}


def test_what_an_expression_looks_for_in_vain_is_a_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = own(
        tmp_path, ('meter_of_row = "deviceId"', 'meter_of_row = "device"'), ('name = "name"', 'name = "{a: name, b: x}.a"')
    )
    assert profiles.faults(file) == []
    known = "company, currency, endCursor, facilities, hasNextPage, id, name, nodes, pageInfo, timezone"
    vain = "which the document does not ask for"
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: facilities.name looks for x, {vain}; remove it, or use one of: {known}",
        f"{file}: poll.series.0.meter_of_row looks for device, {vain}; did you mean deviceId?",
    ]


def test_the_shipped_expressions_look_for_nothing_in_vain(caplog: pytest.LogCaptureFixture) -> None:
    assert list(profiles._judged(profiles.read(SHIPPED), "here")) == []
    assert caplog.records == []


def test_what_functions_cannot_do_is_malformed_and_no_crash() -> None:
    with pytest.raises(Malformed, match="cannot be applied"):
        Expression("max(@)")(["a", 1])


# other shapes


async def test_one_request_may_ask_for_all_facilities_where_the_profile_can(tmp_path: Path) -> None:
    text = TEXT
    for old, new in (
        ("$facility: ID!, $types", "$ids: [ID!]!, $types"),
        (
            "  facility(id: $facility) {\n    id\n    readings(readingInput",
            "  facilities(ids: $ids) {\n    id\n    readings(readingInput",
        ),
        ('next = "facility.readings.pageInfo | (hasNextPage && endCursor)"\n', ""),
        (", first: $first, after: $after) {\n      nodes { deviceId", ", first: 1000) {\n      nodes { deviceId"),
        (" $first: Int, $after: String,\n", "\n"),
        ('facility = "facility"\ntypes', 'ids = "facilities"\ntypes'),
        ('first = "first"\nafter = "after"\nanalysis', "analysis"),
        ('each = "[facility]"', 'each = "facilities"\nfacility = "id"'),
        ('each = "[facility]"', 'each = "facilities"\nfacility = "id"'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    companies = (Company("c-1", "Sonnenfeld GmbH", (park(1, 2), park(2, 2))),)
    async with plant(tmp_path, companies, profile=tmp_path / "mine.toml") as of:
        assert (await of.poll())["error"] is None
        assert of.asked() == ["Companies", "Facilities", "Devices", "Devices", "Poll", "Schema", "Schema"]
        assert {topic for topic in of.topics() if topic.endswith("power")} == {
            "solar-park-1/reading/inverter-1/power", "solar-park-2/reading/inverter-1/power",
        }  # fmt: skip


async def test_a_quantity_is_published_as_the_profile_says(tmp_path: Path) -> None:
    more = 'aggregation = "mean"\ndirection = "export"\nresolution = "PT5M"'
    file = own(tmp_path, ('quantity = "power"\nunit = "kW"', f'quantity = "power"\nunit = "W"\nfactor = 1000\n{more}'))
    async with plant(tmp_path, profile=file) as of:
        await of.poll()
        assert of.topics()["solar-park-1/reading/inverter-1/power"] == {
            "value": 48746, "unit": "W", "at": "2026-06-10T10:00:00Z", "direction": "export", "resolution": "PT5M",
            "aggregation": "mean",
        }  # fmt: skip

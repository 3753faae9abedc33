"""The configuration of a Sensorfact source: what the contract shows is taken, and a complaint names the key and no secret."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import Misconfigured
from bridge.providers.sensorfact.question import Question
from bridge.providers.sensorfact.settings import SensorfactSettings
from bridge.providers.sensorfact.windows import Relative
from bridge.settings import load
from tests.providers.factory import BOILER, LINE, settings

SECRET = "planted-9f2c"
CONTRACT = f"""
[sources.factory]
provider = "sensorfact"
url = "https://api.example.com"
api_key = "{SECRET}"
site = "plant-1"
aggregation_parameter = "aggregation"
[[sources.factory.measurements]]
name = "line-1"
kind = "electricity"
path = "/v1/lines"
params = {{ }}
window = "1d-now"
aggregation = "auto"
site_timezone = "Europe/Amsterdam"
timestamp_field = "timestamp"
fields = {{ power = "kW", energy = "kWh" }}
"""
SECOND = """
[[sources.factory.measurements]]
name = "line-2"
kind = "gas"
path = "/v1/gas"
fields = { volume = "m³" }
"""
HERE = "bridge.toml: sources.factory.measurements"


def written(folder: Path, text: str) -> Path:
    file = folder / "bridge.toml"
    file.write_text(text, "utf-8")
    file.chmod(0o600)
    return file


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load(written(folder, text))
    told = str(caught.value)
    assert SECRET not in told
    return told.replace(f"{folder}/", "").splitlines()


def test_the_contracts_section_is_taken_as_it_stands(tmp_path: Path) -> None:
    source = load(written(tmp_path, CONTRACT)).sources["factory"]
    assert isinstance(source, SensorfactSettings)
    [line] = source.measurements
    assert (line.name, line.kind, line.window, line.aggregation, line.fields) == (
        "line-1",
        "electricity",
        "1d-now",
        "auto",
        {"power": "kW", "energy": "kWh"},
    )
    assert source.zone.key == "Europe/Amsterdam"
    assert (source.poll_interval, source.stamp, source.budget.requests) == (timedelta(minutes=15), "start", 100)


def test_what_is_optional_may_be_left_out_and_what_is_left_may_be_said(tmp_path: Path) -> None:
    more = 'poll_interval = "PT30M"\nstamp = "end"\npage_size_parameter = "limit"\npage_size = 500\n[[sources'
    text = CONTRACT.replace("[[sources", more, 1) + 'quantities = { power = "activePower" }\npoll_interval = 60\n'
    source = load(written(tmp_path, text)).sources["factory"]
    assert isinstance(source, SensorfactSettings)
    [line] = source.measurements
    assert (source.stamp, source.page_size, source.poll_interval) == ("end", 500, timedelta(minutes=30))
    assert (line.quantity("power"), line.quantity("energy"), source.every(line)) == (
        "active-power",
        "energy",
        timedelta(minutes=1),
    )
    shortest = settings({key: LINE[key] for key in ("name", "kind", "path", "fields")})
    assert [(one.window, one.aggregation, one.timestamp_field) for one in shortest.measurements] == [
        ("1d-now", "auto", "timestamp")
    ]


def test_a_parameter_may_be_a_number_a_switch_or_several_texts() -> None:
    [line] = settings({**LINE, "params": {"meter": 17, "deep": True, "tag": ["a", "b&c"], "share": 0.5}}).measurements
    asked = Question(line, Relative.parse("1d"), "auto").query(settings())
    own = [("meter", "17"), ("deep", "true"), ("tag", "a"), ("tag", "b&c"), ("share", "0.5")]
    assert asked == [*own, ("previous", "1d"), ("aggregation", "auto"), ("timezone", "UTC")]


def test_measurements_may_come_as_json_in_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = '{"name":"a","kind":"gas","path":"/v1/gas","site_timezone":"Europe/Amsterdam","fields":{"energy":"kWh"}}'
    monkeypatch.setenv("KWH2MQTT_SOURCES__FACTORY__MEASUREMENTS", f"[{one}]")
    source = load(written(tmp_path, CONTRACT)).sources["factory"]
    assert isinstance(source, SensorfactSettings)
    assert [measurement.name for measurement in source.measurements] == ["a"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1d-now", "1x", ".0.window: is wrong: must be a number and one of M (months), w, d, h, perhaps with -now"),
        ("1d-now", "2024-01-01", ".0.window: is wrong: must be a number and one of M"),
        (
            '"auto"',
            '"5m"',
            ".0.aggregation: is wrong: 5m is too fine for electricity over 1d-now: the least level that is allowed is 15m",
        ),
        ('"auto"', '"15x"', ".0.aggregation: is wrong: must be a number and one of m (minutes), h, d, w, M (months)"),
        ('"electricity"', '"steam"', ".0.kind: is wrong: input should be 'electricity', 'water', 'gas', 'air'"),
        ("/v1/lines", "v1/lines", ".0.path: is wrong: must begin with one /"),
        ("/v1/lines", "//evil.example/v1", ".0.path: is wrong: must begin with one /"),
        ("/v1/lines", "/v1/lines?a=1", ".0.path: is wrong: must begin with one /"),
        ("/v1/lines", "/v1/a b", ".0.path: is wrong: holds a letter that no address has"),
        ("{ }", '{ previous = "1d" }', ".0.params: is wrong: must not hold previous, which the bridge sets itself"),
        ("{ }", '{ aggregation = "1d" }', ".0.params: is wrong: must not hold aggregation, which the bridge sets itself"),
        (
            "{ }",
            "{ meter = { id = 1 } }",
            ".0.params.meter: is wrong: must be a text, a number, true or false, or a list of these",
        ),
        ("Europe/Amsterdam", "Europe/Amsterdm", ".0.site_timezone: is wrong: is no time zone"),
        (
            'site_timezone = "Europe/Amsterdam"',
            "",
            ".0.site_timezone: is wrong: is missing: at least one measurement must say it",
        ),
        ('{ power = "kW", energy = "kWh" }', "{ }", ".0.fields: is wrong: dictionary should have at least 1 item"),
        ('power = "kW"', 'power = ""', ".0.fields.power: is wrong: string should have at least 1 character"),
        ("timestamp_field", "timestmp_field", ".0.timestmp_field: is not a known key; did you mean timestamp_field?"),
        ('"line-1"', '"§"', ".0.name: is wrong: has no letter that a topic can have"),
        ('site = "plant-1"', "", None),
        ("https://api", "http://api", None),
    ],
)
def test_a_fault_names_the_key_and_the_mend(tmp_path: Path, old: str, new: str, said: str | None) -> None:
    assert old in CONTRACT
    [fault] = faults(tmp_path, CONTRACT.replace(old, new))
    expected = f"{HERE}{said}" if said else f"bridge.toml: sources.factory.{'site' if 'site' in old else 'url'}: "
    assert fault.startswith(expected), fault


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('site_timezone = "Europe/Paris"\n', ".1.site_timezone: is wrong: Europe/Paris is not Europe/Amsterdam, as before"),
        ('window = "2w"\naggregation = "15m"\n', ".1.aggregation: is wrong: 15m is too fine for gas over 2w: the least level"),
        ('quantities = { power = "p" }\n', ".1: is wrong: quantities names power, which fields does not have"),
    ],
)
def test_a_fault_of_the_second_measurement_names_the_second(tmp_path: Path, more: str, said: str) -> None:
    [fault] = faults(tmp_path, f"{CONTRACT}{SECOND}{more}")
    assert fault.startswith(f"{HERE}{said}"), fault


def test_two_measurements_must_not_have_one_name(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, CONTRACT + SECOND.replace("line-2", "line-1"))
    assert fault.startswith(f"{HERE}.1.name: is wrong: line-1 is the name of another measurement too")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = CONTRACT.replace("1d-now", "1x").replace("/v1/lines", "x").replace('"electricity"', '"x"')
    assert [line.split(": ")[1].rpartition(".")[2] for line in faults(tmp_path, text)] == ["kind", "path", "window"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"aggregation_parameter": "previous"}, "previous is a parameter of another meaning"),
        ({"page_size_parameter": "aggregation", "page_size": 10}, "must not be the same"),
        ({"page_size": 10}, "page_size and page_size_parameter go together"),
        ({"page_size_parameter": "limit"}, "page_size and page_size_parameter go together"),
        ({"url": "https://example.com/?a=1"}, "must end before any"),
        ({"api_key": "a key"}, "copy it once more"),
        ({"poll_interval": 30}, "greater than or equal to 1 minute"),
        ({"stamp": "middle"}, "'start' or 'end'"),
        ({"operations": {"mine": {"document": "mine.graphql"}}}, "speak GraphQL, and this one does not"),
        ({"measurements": []}, "must hold one at the least"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings(**given)


def test_two_fields_must_not_have_one_topic() -> None:
    with pytest.raises(ValueError, match="two fields would have one topic"):
        settings({**LINE, "fields": {"power": "kW", "Power": "W"}})
    with pytest.raises(ValueError, match="no letter that a topic can have"):
        settings({**LINE, "fields": {"§": "kW"}})


def test_another_key_address_or_site_is_another_account() -> None:
    found = {settings(**given).identity() for given in ({}, {"site": "b"}, {"url": "https://b.example"}, {"api_key": "b"})}
    assert len(found) == 4
    assert settings(BOILER).identity() == settings().identity()

"""docs/ampere.md against the code: the topics are published, the configuration loads, the codes mean what the page says."""

import re
from datetime import timedelta
from pathlib import Path

from bridge.providers.ampere import gateway, newest, source
from bridge.providers.ampere.load import SHIPPED, read
from bridge.providers.ampere.rota import OUTDATED_FOR
from bridge.providers.ampere.settings import AmpereSettings
from bridge.settings import load
from bridge.state.budget import BudgetSettings
from tests.providers.plant import plant
from tests.test_docs import ROOT, blocks, codes, pattern, rows, written

PAGE = (ROOT / "docs" / "ampere.md").read_text("utf-8")
TEXT = " ".join(PAGE.split())
UNITS = {"min": "minutes", "h": "hours"}


async def test_the_page_names_every_topic_of_an_account(tmp_path: Path) -> None:
    named = [topic.strip("`") for topic, *_ in rows(PAGE, "| topic | what it holds | asked for |")]
    async with plant(tmp_path) as of:
        await of.poll()
        shown = [topic for part in ("/info", "/reading/") for topic in of.topics(part)]
    patterns = [pattern(f"solar-park-1/{topic}") for topic in named]
    assert [topic for topic in shown if not any(one.fullmatch(topic) for one in patterns)] == []
    assert [one.pattern for one in patterns if not any(one.fullmatch(topic) for topic in shown)] == []


def test_the_units_on_the_page_are_those_of_the_shipped_profile() -> None:
    table = {topic.strip("`").split("/")[-1]: what for topic, what, _ in rows(PAGE, "| topic | what it holds | asked for |")}
    for one in read(SHIPPED).quantities:
        assert table[one.quantity].endswith(f", {one.unit}" if one.unit else "as given")


def test_the_page_tells_how_often_each_is_asked_for() -> None:
    told = {topic.strip("`").split("/")[0]: every for topic, _, every in rows(PAGE, "| topic | what it holds | asked for |")}
    found = {topic: re.fullmatch(r"every (\d+) (min|h)", every) for topic, every in told.items()}
    spans = {topic: timedelta(**{UNITS[match[2]]: int(match[1])}) for topic, match in found.items() if match}
    assert spans == {"info": source.LISTS_EVERY, "reading": AmpereSettings.model_fields["poll_interval"].default}
    assert f"not asked for again for {OUTDATED_FOR // timedelta(hours=1)} hours" in TEXT
    assert f"one for up to {newest.MOST_AT_ONCE} facilities" in TEXT
    assert f"the budget of {BudgetSettings().requests} requests in {BudgetSettings().seconds // 60} minutes" in TEXT


def test_the_configuration_on_the_page_works(tmp_path: Path) -> None:
    first, second = blocks(PAGE, "toml")
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "my_facilities.graphql").write_text("{ me { id } }")
    settings = load(written(tmp_path, first.replace("# token", "token") + second))
    own = settings.sources["plant"]
    usual = AmpereSettings.model_validate({"provider": "ampere", "token": "a"})
    assert isinstance(own, AmpereSettings)
    assert (own.profile, own.poll_interval) == (usual.profile, usual.poll_interval)
    assert list(settings.documents["plant"]) == ["my_facilities"]


def test_apollos_codes_mean_what_the_page_says() -> None:
    explained = {code.strip("`"): what for code, what, _ in rows(PAGE, "| `error.code` | what it is here | the mend |")}
    told = {name: code for code, what in explained.items() for name in re.findall(r"`([A-Z_]{5,})`", what)}
    assert {name: gateway.CODES[name].code for name in told} == told
    assert set(explained) <= codes()
    assert set(gateway.CODES) - set(told) == {"RATE_LIMIT_EXCEEDED"}


def test_the_page_and_the_profile_say_that_no_account_was_asked() -> None:
    assert "No live account was ever asked" in TEXT
    assert "UNCONFIRMED" in SHIPPED.read_text("utf-8")

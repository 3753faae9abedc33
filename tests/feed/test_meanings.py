"""A curve is judged once for as long as it stands, and anew when it or its site changes."""

from dataclasses import replace

from bridge.feed.meanings import Meanings
from bridge.feed.place import Place
from bridge.models.site import Site
from bridge.pricing.settings import USUAL
from tests.support import curve, utc

CURVE = curve(utc("2026-06-10T10:00"), [1, 2, 3])
HOME = Place("home", Site(id="1", title="Home", timezone="Europe/Berlin"), curves={"import": CURVE, "export": CURVE})


def test_the_same_curve_is_judged_once() -> None:
    meanings = Meanings(USUAL)
    assert meanings.of(HOME, "import") is meanings.of(replace(HOME, name="villa"), "import")
    assert meanings.of(HOME, "import") is not meanings.of(HOME, "export")


def test_another_curve_or_zone_is_judged_anew_though_it_be_equal() -> None:
    meanings = Meanings(USUAL)
    first = meanings.of(HOME, "import")
    other = replace(HOME, curves={"import": CURVE.model_copy()})
    abroad = replace(other, site=HOME.site.model_copy(update={"timezone": "Europe/London"}))
    assert len({id(first), id(meanings.of(other, "import")), id(meanings.of(abroad, "import"))}) == 3


def test_a_site_that_is_gone_is_forgotten() -> None:
    meanings = Meanings(USUAL)
    first = meanings.of(HOME, "import")
    meanings.forget("2")
    assert meanings.of(HOME, "import") is first
    meanings.forget("1")
    assert meanings.of(HOME, "import") is not first

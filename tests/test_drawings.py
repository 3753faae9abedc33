"""The pictures of docs/pricing.md are what the code draws today, and each is shown there."""

import re
from pathlib import Path

import pytest

from bridge.pricing.settings import PricingSettings
from bridge.pricing.windows import WindowSettings
from scripts.draw_prices import DRAWINGS, FOLDER

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "pricing.md").read_text("utf-8")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_is_what_the_code_draws(name: str) -> None:
    assert DRAWINGS[name]() == (FOLDER / f"{name}.svg").read_text("utf-8"), "run: python -m scripts.draw_prices"


def test_every_picture_is_on_the_page_and_every_one_there_is_drawn() -> None:
    shown = re.findall(r"!\[[^]]+\]\(pricing/(\w+)\.svg\)", PAGE)
    assert sorted(shown) == sorted(DRAWINGS) == sorted(path.stem for path in FOLDER.iterdir())


def test_every_key_of_the_page_is_one_and_every_key_is_on_the_page() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named == set(PricingSettings.model_fields) | set(WindowSettings.model_fields)


@pytest.mark.parametrize(("key", "said"), re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", PAGE, re.MULTILINE))
def test_a_default_is_what_the_page_says(key: str, said: str) -> None:
    model = PricingSettings if key in PricingSettings.model_fields else WindowSettings
    usual = model.model_validate({} if model is PricingSettings else {"duration": "PT3H"})
    shown = usual.model_dump(mode="json")[key]
    text = ", ".join(map(_plain, shown)) if isinstance(shown, list) else _plain(shown)
    assert said == text


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Fixtures of the tests of commands."""

import pytest

from tests.commands.haste import Haste


@pytest.fixture
async def haste(monkeypatch: pytest.MonkeyPatch) -> Haste:
    return Haste(monkeypatch)

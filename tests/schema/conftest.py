"""What the demo says within a day, gathered once for all tests of the schema."""

import asyncio

import pytest

from tests.reference import Told, told


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return asyncio.run(told(tmp_path_factory.mktemp("demo")))

"""What an ampere.cloud account is configured by.

The profile is looked for beside the configuration; the one that comes with kwh2mqtt stands in where its usual name is not there.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from bridge.errors import Fault
from bridge.providers.ampere import load
from bridge.providers.base import HeaderSecret, SourceSettings, Url
from bridge.providers.base.settings import FOLDER

USUAL = Path("config/ampere.toml")  # where a checkout has the shipped one


class AmpereSettings(SourceSettings):
    """`[sources.NAME]` with `provider = "ampere"`."""

    provider: Literal["ampere"]
    token: HeaderSecret
    url: Url = "https://api.ampere.cloud/apollo-gateway"
    profile: Path = Field(default=USUAL, validate_default=True)  # relative to the configuration file
    poll_interval: Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = timedelta(minutes=10)

    @field_validator("profile")
    @classmethod
    def _found(cls, path: Path, info: ValidationInfo) -> Path:
        folder: Path | None = (info.context or {}).get(FOLDER)
        if folder is None:  # there is no configuration, as in the demo
            return load.SHIPPED if path == USUAL else path
        places = [folder / path, folder / path.name, load.SHIPPED] if path == USUAL else [folder / path]
        return next((place for place in places if place.is_file()), places[0])

    def faults(self) -> Iterator[Fault]:
        yield from load.faults(self.profile)

    def identity(self) -> str:
        return f"{self.url} {self.token.get_secret_value()}"

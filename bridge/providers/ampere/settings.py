"""What an ampere.cloud account is configured by.

The profile is looked for beside the configuration; the one that comes with kwh2mqtt stands in where its usual name is not there.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from bridge.errors import Fault, Misconfigured
from bridge.faults import is_file
from bridge.providers.ampere import load
from bridge.providers.ampere.profile import Profile
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
        return next((place for place in places if is_file(place)), places[0])

    @cached_property
    def asked(self) -> Profile:
        """The profile, read once: what was found good stays so, whatever becomes of the file. Raises Misconfigured."""
        return load.read(self.profile)

    def faults(self) -> Iterator[Fault]:
        try:
            profile = self.asked
        except Misconfigured as error:
            yield from error.faults
        else:
            yield from load.judged(profile, self.profile)

    def identity(self) -> str:
        return f"{self.url} {self.token.get_secret_value()}"

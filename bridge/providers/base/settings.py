"""What every source is configured by, and the kinds of value that providers' own settings are made of."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from bridge.errors import Fault
from bridge.pricing.settings import USUAL, PricingSettings
from bridge.pricing.windows import WindowSettings
from bridge.state.budget import BudgetSettings
from bridge.topics import RESERVED_SITES, SOURCE_NAME
from bridge.transport.http import is_usable
from bridge.transport.settings import is_loopback

FOLDER = "folder"  # in the context of validation: where relative paths begin, which is the configuration file's folder


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if any(letter.isspace() or not letter.isprintable() for letter in url) or parts.port == 0:  # `port` raises by itself too
        raise ValueError("is an address that no request can be sent to")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a whole address such as https://example.com/graphql")
    if parts.username or parts.password:
        raise ValueError("must not hold a user name or password")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must begin with https:// (plain http:// is for a loopback address only)")
    if not is_usable(url):
        raise ValueError("is an address that no request can be sent to")
    return url


Url = Annotated[str, AfterValidator(_secure)]


def _fits_a_header(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text:
        raise ValueError("must not be empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds a blank or a letter that no token has; copy it once more")
    return secret


HeaderSecret = Annotated[SecretStr, AfterValidator(_fits_a_header)]  # a key that travels in an HTTP header


def _site_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError("must be lower-case letters, digits, - and _")
    if name in RESERVED_SITES:
        raise ValueError(f"{name} is a topic of the source's own")
    return name


SiteName = Annotated[str, AfterValidator(_site_name)]


def _apart(sites: dict[str, str]) -> dict[str, str]:
    if len(set(sites.values())) < len(sites):
        raise ValueError("two sites must not have one name")
    return sites


def from_json(value: object) -> object:
    """Return a table or list that may come as JSON, as it must in a variable."""
    return json.loads(value) if isinstance(value, str) else value


def _configured_name(name: str) -> str:
    if not re.fullmatch(SOURCE_NAME, name):
        raise ValueError("must be lower-case letters, digits, - and _")
    return name


ConfiguredName = Annotated[str, AfterValidator(_configured_name)]

RequestBudget = Annotated[BudgetSettings, BeforeValidator(from_json)]
Windows = Annotated[dict[ConfiguredName, WindowSettings], BeforeValidator(from_json)]
Pricing = Annotated[PricingSettings, BeforeValidator(from_json)]
SiteNames = Annotated[dict[str, SiteName], AfterValidator(_apart), BeforeValidator(from_json)]


class DocumentSettings(BaseModel):
    """`[sources.NAME.operations.OP]`: a GraphQL document of the user's own, offered as a command."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    document: Path  # relative to the configuration file
    endpoint: str = ""  # where a source has several


class SourceSettings(BaseModel):
    """`[sources.NAME]`: what every source has; a provider adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider: str
    publish_personal_data: bool = False
    budget: RequestBudget = BudgetSettings()
    sites: SiteNames = Field(default_factory=dict)  # the provider's id → our name
    operations: dict[ConfiguredName, DocumentSettings] = Field(default_factory=dict)
    pricing: Pricing = USUAL
    windows: Windows = Field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        """Yield what is wrong with the files that it names, each with the file, the key there and the mend."""
        yield from ()

    @property
    def names_a_file(self) -> bool:
        """Whether it may mean something else tomorrow though it says the same."""
        return any(isinstance(value, Path) for _, value in self)

    def addresses(self) -> dict[str, str]:
        """Return every address that it is asked at, by key; a provider with one that is in no key adds it."""
        values = {key: value for key, value in self if isinstance(value, str)}
        return {key: value for key, value in values.items() if urlsplit(value).scheme in ("http", "https")}

    def identity(self) -> str:
        """Return what tells this account from another; it may hold secrets and is only kept as a hash."""
        return self.model_dump_json(include={"provider"})


def secrets(value: object) -> Iterator[str]:
    """Yield every secret inside a settings object, however deep."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from secrets(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from secrets(inner)

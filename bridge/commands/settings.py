"""`[commands]` and `[clients.NAME]`: how much a device may ask for, and what."""

import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

EVERYONE = "*"


def _grant(text: str) -> str:
    source, dot, operation = text.partition(".")
    if text != EVERYONE and not (source and dot and operation):
        raise ValueError(
            'must be a source and an operation such as "home.prices", "home.*" for its queries, or "*" for all of them'
        )
    return text


def _listed(value: object) -> object:
    """Return a list also of a text, which is all that a variable can hold: `["a.b", "c.d"]`, or `a.b, c.d`."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else [text.strip() for text in value.split(",")]


class CommandsSettings(BaseModel):
    """`[commands]`; each limit holds for each client."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    per_minute: int = Field(default=30, ge=1)
    writes_per_minute: int = Field(default=10, ge=1)
    concurrent: int = Field(default=16, ge=1)  # of all clients together


class ClientSettings(BaseModel):
    """`[clients.NAME]`: the operations that one client may use. `[clients."*"]` speaks for all."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    allow: Annotated[tuple[Annotated[str, AfterValidator(_grant)], ...], BeforeValidator(_listed)]

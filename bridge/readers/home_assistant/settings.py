"""`[home_assistant]`: whether Home Assistant is told what there is, and how. Without the section it is not."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.topics import LONGEST_CLIENT

Kind = Literal[
    "price", "next_price", "next_change", "level", "rating", "rank", "trend", "window", "cost", "reading", "live", "account",
    "schedule", "dispatch", "event", "button", "number", "diagnostic",
]  # fmt: skip


def _levels(prefix: str) -> str:
    if set(prefix) & set("+#\0") or not all(prefix.split("/")):
        raise ValueError("must be one or several topic levels, such as homeassistant")
    return prefix


def _client(name: str) -> str:
    if set(name) & set("+#/\0") or not 0 < len(name.encode()) <= LONGEST_CLIENT:
        raise ValueError("must be one topic level of up to 64 bytes")
    return name


def _listed(value: object) -> object:
    """Return a list also of a text, which is all that a variable can hold."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else [text.strip() for text in value.split(",")]


class HomeAssistantSettings(BaseModel):
    """`[home_assistant]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True  # of a section that stands there
    prefix: Annotated[str, AfterValidator(_levels)] = Field(default="homeassistant", max_length=256)
    discovery: Literal["device", "component"] = "device"  # Home Assistant before 2024.11 knows no devices
    client: Annotated[str, AfterValidator(_client)] = "homeassistant"  # in whose name its buttons ask; see [clients]
    without: Annotated[tuple[Kind, ...], BeforeValidator(_listed)] = ()  # kinds of entities that are not wanted

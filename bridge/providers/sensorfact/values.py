"""The kinds of value that settings and commands are made of, each checked where it comes in."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from bridge.providers.sensorfact.aggregation import AUTO, Level
from bridge.providers.sensorfact.windows import Relative
from bridge.transport.http import is_usable

CURSOR, ZONE = "cursor_after", "timezone"
OURS = ("from", "to", "previous", ZONE, CURSOR)  # parameters that no `params` may set

Text = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Interval = Annotated[timedelta, Field(ge=timedelta(minutes=1), le=timedelta(days=7))]


def _path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or any(letter in path for letter in "?#\\"):
        raise ValueError("must begin with one /, such as /v1/…; what would stand behind a ? belongs into params")
    if not is_usable(f"https://example.com{path}") or any(letter.isspace() or not letter.isprintable() for letter in path):
        raise ValueError("holds a letter that no address has")
    return path


def _texts(value: object) -> tuple[str, ...]:
    """Return the values of a parameter as they stand in an address; several where it is a list."""
    values = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str | int | float) for one in values):
        raise ValueError("must be a text, a number, true or false, or a list of these")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError, ValueError):
        raise ValueError("is no time zone; it must be one such as Europe/Amsterdam") from None


def _not_ours(name: str) -> str:
    if name in OURS:
        raise ValueError(f"{name} is a parameter of another meaning")
    return name


def _window(text: str) -> str:
    return str(Relative.parse(text))


def _level(text: str) -> str:
    return text if text == AUTO else str(Level.parse(text))


Parameter = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.\[\]-]*$"), AfterValidator(_not_ours)]
ZoneName = Annotated[str, AfterValidator(_zone)]
LevelName = Annotated[str, AfterValidator(_level)]
WindowName = Annotated[str, AfterValidator(_window)]
Path = Annotated[str, AfterValidator(_path)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]

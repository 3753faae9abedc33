"""What is wrong with the configuration, said so that it can be mended: where it came from, the key, the problem, the mend.

No text shows a value: a mistyped key once printed the token beside it.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bridge.errors import Fault

PREFIX = "KWH2MQTT_"
SECRET_KEYS = ("token", "password", "api_key", "client_secret", "pre_signed_key", "organization_secret_key")
CREDENTIAL = "kwh2mqtt_"  # what systemd puts before the names of a whole folder of credentials, for the id of our unit's
DEPTH = {"mqtt": 1, "state": 1, "sources": 2}  # how many names stand before the key


@dataclass(frozen=True)
class Origin:
    """Where values come from: the environment before secret files before the TOML file."""

    toml: Path | None
    folders: tuple[Path, ...] = ()  # of secret files
    alone: bool = False  # it is a file of another kind, to which no variable and no secret file belongs

    def of(self, key: str) -> str | None:
        """Return the variable or file that `key` was read from."""
        if self.alone:
            return self.file
        name = variable(key)
        if any(given.upper() == name or given.upper().startswith(f"{name}__") for given in os.environ):
            return f"${name}"
        found = (folder / key for folder in reversed(self.folders))
        return next((str(file) for file in found if is_file(file)), self.file)

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self.toml.parent if self.toml else Path()

    @property
    def file(self) -> str | None:
        return str(self.toml) if self.toml else None


def is_folder(path: Path) -> bool:
    """Tell whether `path` is a folder that we may list; a path that the system refuses to look at is none."""
    try:
        return path.is_dir() and os.access(path, os.R_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Tell likewise whether `path` is a file."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def key_of(path: Path) -> str:
    """Return the key that a secret file is named like."""
    return path.name.removeprefix(CREDENTIAL)


def is_secret(path: Path) -> bool:
    """Tell whether `path` is a file of ours: `mqtt.KEY`, `state.KEY`, `sources.NAME.KEY` or `sources.NAME.PART.KEY`."""
    *above, last = key_of(path).split(".")
    if above[:1] == ["sources"] and len(above) == DEPTH["sources"] + 1:
        named = last in SECRET_KEYS and above[-1] not in SECRET_KEYS  # else it is an old copy, such as sources.home.token.bak
    else:
        named = bool(above) and len(above) == DEPTH.get(above[0])
    return named and is_file(path)


def variable(key: str) -> str:
    """Return the environment variable that stands for `key`."""
    return PREFIX + key.upper().replace(".", "__")


def found_by(error: ValidationError, above: str, model: type[BaseModel], origin: Origin) -> Iterator[Fault]:
    """Yield a fault for each entry of `error`, which `model` raised for the section `above`."""
    for entry in error.errors(include_input=False, include_url=False, include_context=False):
        location = tuple(str(part) for part in entry["loc"])
        key = ".".join(part for part in (above, *location) if part)
        match entry["type"]:
            case "extra_forbidden":
                yield Fault(key, "is not a known key", _nearest(location, model), origin.of(key))
            case "missing":
                yield Fault(key, "is missing", _how_to_add(key, origin), origin.file)
            case _:
                problem = entry["msg"].removeprefix("Value error, ")  # our own words stand; the library's begin with a capital
                if entry["type"] != "value_error":
                    problem = problem.lower()
                yield Fault(key, f"is wrong: {problem}", "correct its value", origin.of(key))


def unknown_sections(sections: Iterable[str], known: Iterable[str], origin: Origin) -> Iterator[Fault]:
    """Yield a fault for each section of the file, and each variable of ours, that nothing reads."""
    known = list(known)
    for section in sections:
        if section not in known:
            yield Fault(section, "is not a known key", nearest(section, known), origin.file)
    variables = {variable(name): name for name in [*known, "config"]}
    for given in sorted(os.environ):
        head = given.upper().split("__")[0]
        if head.startswith(PREFIX) and head not in variables:
            yield Fault(given, "is not a known variable", nearest(head, list(variables)), "environment")


def nearest(name: str, known: list[str]) -> str:
    """Return the mend for an unknown `name`."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it, or use one of: {', '.join(known)}" if known else "remove it"


def _nearest(location: tuple[str, ...], model: type[BaseModel]) -> str:
    return nearest(location[-1], _fields(model, location[:-1]))


def _fields(model: type[BaseModel], way: tuple[str, ...]) -> list[str]:
    for step in way:
        if step not in model.model_fields:
            continue  # the user's own name for what lies below, such as that of a window, or the number of an entry
        annotation = model.model_fields[step].annotation
        kinds = (annotation, *getattr(annotation, "__args__", ()))
        nested = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _how_to_add(key: str, origin: Origin) -> str:
    last = key.rsplit(".", 1)[-1]
    if origin.alone:
        return f"add {last}"
    if last in SECRET_KEYS:
        return f'add {last} = "…", or the secret file {key}, or the variable {variable(key)}'
    return f"add {last} = …, or the variable {variable(key)}"

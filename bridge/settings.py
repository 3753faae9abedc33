"""Gathers the settings of those who read them: environment > secret files > TOML. Every fault is named at once, with its mend.

No message shows a value: a mistyped key once printed the token beside it.
"""

import logging
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bridge.errors import Fault, Misconfigured
from bridge.providers import base as providers
from bridge.providers.base import Provider, SourceSettings
from bridge.state.settings import StateSettings
from bridge.topics import RESERVED_SOURCES, SOURCE_NAME
from bridge.transport.mqtt import MqttSettings

log = logging.getLogger(__name__)

PREFIX = "KWH2MQTT_"
PLACES = (Path("config/bridge.toml"), Path("/etc/kwh2mqtt/bridge.toml"))
SECRET_KEYS = ("token", "password", "api_key", "client_secret", "pre_signed_key", "organization_secret_key")


class Gathered(BaseSettings):
    """The sections as they stand; what lies inside a source is its provider's matter."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", hide_input_in_errors=True
    )

    secrets_directory: Path | None = None
    mqtt: MqttSettings = MqttSettings()
    state: StateSettings = StateSettings()
    sources: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Settings:
    """The whole configuration, valid."""

    file: Path | None
    mqtt: MqttSettings
    state: StateSettings
    sources: Mapping[str, SourceSettings]
    providers: Mapping[str, Provider]  # by source

    def secrets(self) -> list[str]:
        """Return every secret in it."""
        return [*providers.secrets(self.mqtt), *providers.secrets(dict(self.sources))]


def load(file: Path | None = None, *, sources_wanted: bool = True) -> Settings:
    """Read the configuration from `file`, or from where it is looked for. Raises Misconfigured."""
    path = _found(file)
    table = _table(path) if path else {}
    gathered = _gathered(path, table)
    faults: list[Fault] = []
    sources: dict[str, SourceSettings] = {}
    used: dict[str, Provider] = {}
    for name, section in gathered.sources.items():
        try:
            used[name], sources[name] = _source(path, name, section)
        except Misconfigured as error:
            faults += error.faults
    if faults:
        raise Misconfigured(faults)
    if sources_wanted and not sources:
        raise Misconfigured([_no_sources(path)])
    if path:
        _warn_if_readable(path, table)
    return Settings(path, gathered.mqtt, gathered.state, sources, used)


def _found(file: Path | None) -> Path | None:
    if file is not None:
        return file
    if given := os.environ.get("KWH2MQTT_CONFIG"):
        return Path(given)
    return next((place for place in PLACES if place.exists()), None)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file", "give the path of your bridge.toml with --config") from None
    except OSError as error:
        mend = "let the user that runs kwh2mqtt read it"
        raise _unreadable(path, f"cannot be read ({error.strerror})", mend) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "is not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        twice = "Cannot declare" in str(error) or "Cannot overwrite" in str(error)
        mend = "give each source a name of its own" if twice else "mend the line (https://toml.io)"
        raise _unreadable(path, f"is not TOML: {_without_values(str(error))}", mend) from None


def _without_values(message: str) -> str:
    # tomllib quotes characters and keys, never values; this keeps it so
    return re.sub(r'"[^"]{20,}"', '"…"', message)


def _unreadable(path: Path, problem: str, mend: str) -> Misconfigured:
    return Misconfigured([Fault("", problem, mend, str(path))])


def _gathered(path: Path | None, table: dict[str, Any]) -> Gathered:
    directory = os.environ.get(f"{PREFIX}SECRETS_DIRECTORY") or table.get("secrets_directory")
    folders = [Path(str(folder)) for folder in (directory, os.environ.get("CREDENTIALS_DIRECTORY")) if folder]

    class Sourced(Gathered):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            files = NestedSecretsSettingsSource(
                file_secret_settings,
                secrets_dir=folders,
                secrets_dir_missing="ok",
                secrets_prefix="",
                secrets_nested_delimiter=".",
            )
            return env_settings, files, InitSettingsSource(settings_cls, table)

    try:
        return Sourced()
    except ValidationError as error:
        raise Misconfigured(list(_faults(path, (), error, Gathered))) from None
    except SettingsError as error:  # such as broken JSON in a variable; its text may hold the value
        raise Misconfigured([Fault(PREFIX, f"cannot be read: {type(error).__name__}", "check the environment")]) from None


def _source(path: Path | None, name: str, section: Mapping[str, Any]) -> tuple[Provider, SourceSettings]:
    file, key = _text(path), f"sources.{name}"
    if not re.fullmatch(SOURCE_NAME, name):
        raise Misconfigured([Fault(key, "is no name for a source", "use lower-case letters, digits, - and _", file)])
    if name in RESERVED_SOURCES:
        raise Misconfigured([Fault(key, f"{name} is a topic of the bridge's own", "choose another name", file)])
    known = ", ".join(providers.names())
    service = section.get("provider")
    if not service:
        raise Misconfigured([Fault(f"{key}.provider", "is missing", f"add one of: {known}", file)])
    provider = providers.find(str(service))
    if provider is None:
        raise Misconfigured([Fault(f"{key}.provider", f"{service} is not known", f"use one of: {known}", file)])
    try:
        return provider, provider.settings.model_validate(dict(section))
    except ValidationError as error:
        raise Misconfigured(list(_faults(path, ("sources", name), error, provider.settings))) from None


def _faults(path: Path | None, above: tuple[str, ...], error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    for entry in error.errors(include_input=False, include_url=False, include_context=False):
        location = tuple(str(part) for part in entry["loc"])
        key = ".".join((*above, *location))
        kind = entry["type"]
        if kind == "extra_forbidden":
            yield Fault(key, "is not a known key", _nearest(location, model), _text(path))
        elif kind == "missing":
            yield Fault(key, "is missing", _how_to_add(key), _text(path))
        else:
            problem = entry["msg"].removeprefix("Value error, ").lower()
            yield Fault(key, f"is wrong: {problem}", "correct its value", _text(path))


def _nearest(location: tuple[str, ...], model: type[BaseModel]) -> str:
    fields = _fields(model, location[:-1])
    close = get_close_matches(location[-1], fields, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"remove it, or use one of: {', '.join(fields)}" if fields else "remove it"


def _fields(model: type[BaseModel], way: tuple[str, ...]) -> list[str]:
    for step in way:
        annotation = model.model_fields[step].annotation if step in model.model_fields else None
        kinds = (annotation, *getattr(annotation, "__args__", ()))
        nested = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if nested is None:
            return []
        model = nested
    return list(model.model_fields)


def _how_to_add(key: str) -> str:
    variable = PREFIX + key.upper().replace(".", "__")
    last = key.rsplit(".", 1)[-1]
    if last in SECRET_KEYS:
        return f'add {last} = "…", or the secret file {key}, or the variable {variable}'
    return f"add {last} = …, or the variable {variable}"


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _no_sources(path: Path | None) -> Fault:
    if path is None:
        looked = ", ".join(["--config", "$KWH2MQTT_CONFIG", *(str(place) for place in PLACES)])
        return Fault("sources", f"no configuration was found (looked for in {looked})", "write one; README.md shows it")
    return Fault("sources", "none is configured", "add a section such as [sources.home]", str(path))


def _warn_if_readable(path: Path, table: Mapping[str, Any]) -> None:
    mode = path.stat().st_mode
    if mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_secret(table):
        log.warning("%s holds a secret and others can read it; run: chmod 600 %s", path, path)


def _holds_secret(table: Mapping[str, Any]) -> bool:
    return any(
        _holds_secret(value) if isinstance(value, Mapping) else key in SECRET_KEYS and bool(value) for key, value in table.items()
    )

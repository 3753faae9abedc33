"""Gathers the settings of those who read them: environment > secret files > TOML. Every fault is named at once, with its mend."""

import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bridge.commands import generic, planner
from bridge.commands.authorise import Grants
from bridge.commands.documents import Document
from bridge.commands.documents import load as load_documents
from bridge.commands.settings import EVERYONE, ClientSettings, CommandsSettings
from bridge.errors import Fault, Misconfigured
from bridge.faults import PREFIX, SECRET_KEYS, Origin, found_by, is_folder, is_secret, key_of, nearest, unknown_sections, variable
from bridge.file import PLACES, found, read
from bridge.providers import base as providers
from bridge.providers.base import Kind, Provider, SourceSettings
from bridge.providers.base.settings import FOLDER
from bridge.readers.home_assistant.settings import HomeAssistantSettings
from bridge.readers.settings import ReadersSettings, strangers
from bridge.state.settings import StateSettings
from bridge.topics import LONGEST_CLIENT, RESERVED_SOURCES, SOURCE_NAME
from bridge.transport.settings import MqttSettings

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)

READABLE = stat.S_IRGRP | stat.S_IROTH


class Gathered(BaseSettings):
    """The sections as they stand, from wherever; what lies inside is for its reader to judge."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_prefix=PREFIX, env_nested_delimiter="__", hide_input_in_errors=True
    )

    secrets_directory: Path | None = None
    mqtt: dict[str, Any] = {}
    state: dict[str, Any] = {}
    sources: dict[str, dict[str, Any]] = {}
    commands: dict[str, Any] = {}
    clients: dict[str, dict[str, Any]] = {}
    readers: dict[str, Any] = {}
    home_assistant: dict[str, Any] | None = None  # off without the section


@dataclass(frozen=True)
class Settings:
    """The whole configuration, valid."""

    file: Path | None
    mqtt: MqttSettings
    state: StateSettings
    sources: Mapping[str, SourceSettings]
    providers: Mapping[str, Provider]  # by source
    commands: CommandsSettings = field(default_factory=CommandsSettings)
    grants: Grants = field(default_factory=dict)  # by client
    documents: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)  # the user's own, by source and name
    readers: ReadersSettings = field(default_factory=ReadersSettings)
    home_assistant: HomeAssistantSettings | None = None  # where it is to be told what there is
    exposed: tuple[Path, ...] = ()  # files that hold a secret and that others can read

    def may_write(self, source: str) -> bool:
        """Tell whether any client is granted a write of `source`; a wildcard grants none."""
        granted = {
            grant.partition(".")[2] for grants in self.grants.values() for grant in grants if grant.startswith(f"{source}.")
        }
        kinds = {name: operation.kind for name, operation in self.providers[source].operations.items()}
        kinds |= {name: document.kind for name, document in self.documents.get(source, {}).items()}
        return any(kinds.get(name) is Kind.WRITE for name in granted)

    def secrets(self) -> list[str]:
        """Return every secret in it."""
        return [*providers.secrets(self.mqtt), *providers.secrets(dict(self.sources))]


def load(file: Path | None = None, *, sources_wanted: bool = True) -> Settings:
    """Read the configuration from `file`, or from where it is looked for. Raises Misconfigured."""
    path = found(file)
    table = read(path) if path else {}
    origin = Origin(path, tuple(_folders(table)))
    faults = [*unknown_sections(table, Gathered.model_fields, origin)]
    gathered = _gathered(table, origin, faults)
    mqtt = _section(gathered.mqtt, "mqtt", MqttSettings, origin, faults)
    state = _section(gathered.state, "state", StateSettings, origin, faults)
    used: dict[str, Provider] = {}
    sources: dict[str, SourceSettings] = {}
    for name, section in gathered.sources.items():
        if (provider := _provider(name, section, table, origin, faults)) is not None:
            own = _section(section, f"sources.{name}", provider.settings, origin, faults)
            if own is not None:
                used[name], sources[name] = provider, own
                faults += own.faults()
    commands = _section(gathered.commands, "commands", CommandsSettings, origin, faults)
    documents = _documents(sources, used, origin, faults)
    readers = _section(gathered.readers, "readers", ReadersSettings, origin, faults)
    faults += strangers(readers, gathered.sources, origin) if readers else ()
    grants = _grants(gathered.clients, _operations(used, documents), origin, faults)
    told = _section(gathered.home_assistant or {}, "home_assistant", HomeAssistantSettings, origin, faults)
    if sources_wanted and not gathered.sources and not faults:
        faults.append(_no_sources(origin))
    if faults or mqtt is None or state is None or commands is None or readers is None or told is None:
        raise Misconfigured(list({fault.key: fault for fault in reversed(faults)}.values())[::-1])
    exposed = _exposed(table, origin)
    home_assistant = told if gathered.home_assistant is not None and told.enabled else None
    return Settings(path, mqtt, state, sources, used, commands, grants, documents, readers, home_assistant, exposed)


def _folders(table: Mapping[str, Any]) -> Iterator[Path]:
    directory = os.environ.get(f"{PREFIX}SECRETS_DIRECTORY") or table.get("secrets_directory")
    for folder in (directory, os.environ.get("CREDENTIALS_DIRECTORY")):
        if folder:
            yield Path(str(folder))


def _gathered(table: dict[str, Any], origin: Origin, faults: list[Fault]) -> Gathered:
    secret = _secrets(origin, faults)

    class Sourced(Gathered):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - it would read files that are not ours
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, InitSettingsSource(settings_cls, secret), InitSettingsSource(settings_cls, table)

    try:
        return Sourced()
    except ValidationError as error:
        raise Misconfigured([*faults, *found_by(error, "", Gathered, origin)]) from None
    except SettingsError:  # a whole section in one variable that is no JSON; the library's text may hold its value
        whole = [name for name in os.environ if name.upper() in {variable(section) for section in Gathered.model_fields}]
        found = [Fault(name, "is no JSON", "correct it, or set its keys one by one", "environment") for name in whole]
        raise Misconfigured([*faults, *found]) from None


def _secrets(origin: Origin, faults: list[Fault]) -> dict[str, Any]:
    """Return what the secret files hold, as sections."""
    secret: dict[str, Any] = {}
    for folder in filter(is_folder, origin.folders):
        for file in sorted(folder.iterdir()):
            if not is_secret(file):
                continue
            try:
                text = file.read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                mend = "let the user that runs kwh2mqtt read it, as UTF-8 text"
                faults.append(Fault(file.name, f"cannot be read ({problem})", mend, str(file)))
                continue
            place, (*above, last) = secret, key_of(file).split(".")
            for step in above:
                place[step] = place = place[step] if isinstance(place.get(step), dict) else {}
            place[last] = text
    return secret


def _section(section: dict[str, Any], key: str, model: type[M], origin: Origin, faults: list[Fault]) -> M | None:
    try:
        return model.model_validate(section, context={FOLDER: origin.folder})
    except ValidationError as error:
        faults += found_by(error, key, model, origin)
        return None


def _documents(
    sources: Mapping[str, SourceSettings], used: Mapping[str, Provider], origin: Origin, faults: list[Fault]
) -> dict[str, dict[str, Document]]:
    """Return the user's own documents of each source; what is wrong with one is a fault."""
    found: dict[str, dict[str, Document]] = {}
    for name, own in sources.items():
        taken = {*generic.OPERATIONS, *used[name].operations}
        for one in load_documents(own, f"sources.{name}", used[name].guard, taken, origin.folder, origin.file):
            if isinstance(one, Fault):
                faults.append(one)
            else:
                found.setdefault(name, {})[one.name] = one
    return found


def _operations(used: Mapping[str, Provider], documents: Mapping[str, Mapping[str, Document]]) -> dict[str, set[str]]:
    """Return the names of every source's operations, and of the bridge's own."""
    found = {name: {*generic.OPERATIONS, *provider.operations, *documents.get(name, ())} for name, provider in used.items()}
    return {**found, planner.SOURCE: {*planner.OPERATIONS}}


def _grants(
    clients: Mapping[str, Mapping[str, Any]], known: Mapping[str, set[str]], origin: Origin, faults: list[Fault]
) -> dict[str, tuple[str, ...]]:
    """Return what each client is granted; a grant of what there is not is a fault that names the nearest one."""
    grants: dict[str, tuple[str, ...]] = {}
    names = sorted(f"{source}.{operation}" for source, operations in known.items() for operation in operations)
    for client, section in clients.items():
        key = f"clients.{client}"
        if client != EVERYONE and (set(client) & set("+#/\0") or not 0 < len(client.encode()) <= LONGEST_CLIENT):
            faults.append(Fault(key, "is no name for a client", "use one topic level of up to 64 bytes", origin.of(key)))
        own = _section(dict(section), key, ClientSettings, origin, faults)
        for grant in own.allow if own else ():
            source, _, operation = grant.partition(".")
            known_here = {*known[source], EVERYONE} if source in known else set()
            if grant != EVERYONE and operation not in known_here:
                faults.append(Fault(f"{key}.allow", f"{grant} is no operation", nearest(grant, names), origin.of(f"{key}.allow")))
        grants[client] = own.allow if own else ()
    return grants


def _provider(
    name: str, section: Mapping[str, Any], table: Mapping[str, Any], origin: Origin, faults: list[Fault]
) -> Provider | None:
    key, service = f"sources.{name}", section.get("provider")
    if not re.fullmatch(SOURCE_NAME, name):
        faults.append(Fault(key, "is no name for a source", "use lower-case letters, digits, - and _", origin.of(key)))
    elif name in RESERVED_SOURCES:
        faults.append(Fault(key, f"{name} is a topic of the bridge's own", "choose another name", origin.of(key)))
    elif not service and name not in table.get("sources", {}):
        first = f"{key}.{next(iter(section), 'provider')}"
        mend = f"add a section [{key}] with its provider, or {nearest(name, list(table.get('sources', {})))}"
        faults.append(Fault(first, "belongs to no configured source", mend, origin.of(first)))
    elif not service:
        faults.append(Fault(f"{key}.provider", "is missing", f"add one of: {', '.join(providers.names())}", origin.file))
    elif (provider := providers.find(str(service))) is None:
        mend = f"use one of: {', '.join(providers.names())}"
        faults.append(Fault(f"{key}.provider", "is not known", mend, origin.of(f"{key}.provider")))
    else:
        return provider
    return None


def _no_sources(origin: Origin) -> Fault:
    if origin.toml is None:
        looked = ", ".join(["--config", "$KWH2MQTT_CONFIG", *(str(place) for place in PLACES)])
        return Fault("sources", f"no configuration was found (looked for in {looked})", "write one; README.md shows it")
    return Fault("sources", "none is configured", "add a section such as [sources.home]", origin.file)


def _exposed(table: Mapping[str, Any], origin: Origin) -> tuple[Path, ...]:
    """Return the files that hold a secret and that others can read, and warn of each."""
    granted = os.environ.get("CREDENTIALS_DIRECTORY")  # whose files systemd guards by an access list, which looks like a group's
    # what systemd hands over are the files of secrets_directory, which a service must not read itself
    if not all(map(is_folder, [Path(granted)] if granted else origin.folders)):
        log.warning("secrets_directory is no folder that can be read: secrets are not looked for there")
    files = [origin.toml] if origin.toml and _holds_secret(table) else []
    for folder in filter(is_folder, (folder for folder in origin.folders if str(folder) != granted)):
        files += [file for file in folder.iterdir() if file.name.rsplit(".", 1)[-1] in SECRET_KEYS and file.is_file()]
    exposed = tuple(file for file in files if file.stat().st_mode & READABLE)
    for file in exposed:
        log.warning("%s holds a secret and others can read it; run: chmod 600 %s", file, file)
    return exposed


def _holds_secret(table: Mapping[str, Any]) -> bool:
    return any(
        _holds_secret(value) if isinstance(value, Mapping) else key in SECRET_KEYS and bool(value) for key, value in table.items()
    )

"""`kwh2mqtt schema`: the AsyncAPI document of every topic and operation, JSON Schemas of all payloads, and the page of them.

It needs no configuration; with one, it is of the user's own broker, sources and documents. The examples are what the demo says,
kept beside this file by `make reference`.
"""

import json
from importlib.resources import files as beside
from pathlib import Path
from typing import Any

from bridge.errors import BridgeError
from bridge.schema import files
from bridge.schema.asyncapi import document
from bridge.schema.operations import Configured
from bridge.schema.page import Page
from bridge.settings import Settings
from bridge.transport.settings import MqttSettings


class Unwritable(BridgeError):
    """A folder that files were to be written into cannot be."""


def schema(settings: Settings | None = None, *, markdown: bool = False, folder: Path | None = None) -> str:
    """Return the document, or with `markdown` the page; where there is a `folder`, write the JSON Schemas into it.

    Raises Unwritable.
    """
    drawn = document(settings.mqtt if settings else MqttSettings(), examples(), _configured(settings))
    if folder is not None:
        try:
            files.write(drawn, folder)
        except OSError as error:
            raise Unwritable(f"{folder} cannot be written to ({error.strerror}); name another folder") from None
    return Page(drawn).written() if markdown else files.drawn(drawn)


def _configured(settings: Settings | None) -> Configured | None:
    """Return what is configured, or None where no source is."""
    if settings is None or not settings.sources:
        return None
    return Configured({name: source.provider for name, source in settings.sources.items()}, settings.documents)


def examples() -> dict[str, Any]:
    """Return what the demo once published and answered, by message."""
    found: dict[str, Any] = json.loads((beside(__name__) / "examples.json").read_text("utf-8"))
    return found

"""`kwh2mqtt schema`: the AsyncAPI document of every topic and operation, JSON Schemas of all payloads, and the page of them.

It needs no configuration. The examples are what the demo publishes, kept beside this file by `make reference`.
"""

import json
from importlib.resources import files as beside
from pathlib import Path
from typing import Any

from bridge.errors import BridgeError
from bridge.schema import files
from bridge.schema.asyncapi import document
from bridge.schema.page import Page
from bridge.transport.settings import MqttSettings


class Unwritable(BridgeError):
    """A folder that files were to be written into cannot be."""


def schema(mqtt: MqttSettings, *, markdown: bool, folder: Path | None) -> str:
    """Return the document, or with `markdown` the page; where there is a `folder`, write the JSON Schemas into it.

    Raises Unwritable.
    """
    drawn = document(mqtt, examples())
    if folder is not None:
        try:
            files.write(drawn, folder)
        except OSError as error:
            raise Unwritable(f"{folder} cannot be written to ({error.strerror}); name another folder") from None
    return Page(drawn).written() if markdown else files.drawn(drawn)


def examples() -> dict[str, Any]:
    """Return what the demo once published and answered, by message."""
    found: dict[str, Any] = json.loads((beside(__name__) / "examples.json").read_text("utf-8"))
    return found

"""The JSON Schema of every message as a file, with all that it refers to: for tools that know nothing of AsyncAPI."""

import json
import re
from pathlib import Path

from bridge.schema.shapes import DIALECT, Schema

REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def write(document: Schema, folder: Path) -> None:
    """Write `folder/NAME.json` for each message of an AsyncAPI document. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, message in document["components"]["messages"].items():
        (folder / f"{name}.json").write_text(drawn(alone(document, message)), "utf-8")


def alone(document: Schema, message: Schema) -> Schema:
    """Return the schema of a message that needs nothing beside it."""
    shared, definitions = document["components"]["schemas"], dict[str, Schema]()
    wanted = REFERENCE.findall(json.dumps(message["payload"]))
    while wanted:
        name = wanted.pop()
        if name not in definitions:
            definitions[name] = shared[name]
            wanted += REFERENCE.findall(json.dumps(shared[name]))
    about = {"$schema": DIALECT, "title": message["name"], "description": message["summary"]}
    schema = {**about, **message["payload"], "definitions": dict(sorted(definitions.items()))}
    found: Schema = json.loads(REFERENCE.sub(r'"#/definitions/\1"', json.dumps(schema)))
    return found


def drawn(schema: Schema) -> str:
    """Return `schema` as text, the same at every call."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

"""The document that `kwh2mqtt schema` writes, and what is wrong with a payload by it: a key that it does not name is a fault."""

import re
from typing import Any

from jsonschema import Draft7Validator, FormatChecker

from bridge.schema import examples
from bridge.schema.asyncapi import document
from bridge.schema.files import alone
from bridge.transport.settings import MqttSettings

DRAWN = document(MqttSettings(), examples())
MESSAGES = DRAWN["components"]["messages"]

FORMATS = FormatChecker(())
FORMATS.checks("date-time")(lambda value: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", str(value)) is not None)
FORMATS.checks("duration")(lambda value: re.fullmatch(r"-?P(?!$)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?", str(value)) is not None)


def closed(schema: Any) -> Any:
    """Return `schema` with no room for a key that it does not name, unless it says that there is."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    drawn = {key: closed(inner) for key, inner in schema.items()}
    return {"additionalProperties": False, **drawn} if "properties" in drawn else drawn


def faults(name: str, payload: Any) -> list[str]:
    """Return what is wrong with a payload by the schema of its message."""
    drawn = alone(DRAWN, MESSAGES[name])
    drawn["definitions"] = closed(drawn["definitions"])
    validator = Draft7Validator(drawn, format_checker=FORMATS)
    return [f"{name}: {error.json_path} {error.message[:200]}" for error in validator.iter_errors(payload)]

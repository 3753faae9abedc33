"""A process that judges documents against a schema and ends: `python -m bridge.transport.judge`, see `deprecations.py`.

Standard input holds a line of JSON, the documents by name, and then a provider's answer to an introspection.
"""

import json
import os
import sys
from typing import Any

from bridge.errors import SourceError
from bridge.transport.schema import findings, notices, sdl

GENTLY = 10  # of niceness: whatever else runs on the machine goes first


def verdict(documents: str, answer: str) -> dict[str, Any]:
    """Return the deprecations, or why nothing can be said of them."""
    try:
        told = json.loads(answer)
        if not isinstance(told, dict) or not (told.get("data") or {}).get("__schema"):
            return {"refused": _why(told)}
        return {"deprecated": notices(findings(sdl(told["data"]), json.loads(documents)))}
    except (ValueError, AttributeError, RecursionError, SourceError) as error:
        return {"refused": f"the answer is no schema ({type(error).__name__})"}


def _why(told: Any) -> str:
    errors = told.get("errors") if isinstance(told, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(first.get("message") if isinstance(first, dict) else "the answer holds no schema")[:200]


if __name__ == "__main__":
    os.nice(GENTLY)
    sys.stdout.write(json.dumps(verdict(sys.stdin.readline(), sys.stdin.read())))

"""The configuration file: where it is looked for, and what it says, as one table."""

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from bridge.errors import Fault, Misconfigured

PLACES = (Path("config/bridge.toml"), Path("/etc/kwh2mqtt/bridge.toml"))


def found(file: Path | None) -> Path | None:
    """Return `file`, else the first there is of where it is looked for, else None."""
    if file is not None:
        return file
    if given := os.environ.get("KWH2MQTT_CONFIG"):
        return Path(given)
    return next((place for place in PLACES if _may_exist(place)), None)


def _may_exist(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its folder is closed to us: reading it will say so
        return True


def read(path: Path) -> dict[str, Any]:
    """Return what stands in `path`. Raises Misconfigured, and quotes no value of it."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file", "give the path of your bridge.toml with --config") from None
    except OSError as error:
        mend = "let the user that runs kwh2mqtt read it"
        raise _unreadable(path, f"cannot be read ({error.strerror})", mend) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "is not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        mend = "mend the line (https://toml.io)"
        if "Cannot declare" in str(error):
            mend = "give each source a name of its own"
        elif "Cannot overwrite" in str(error):
            mend = "write each key once"
        raise _unreadable(path, f"is not TOML: {_without_values(str(error))}", mend) from None


def _without_values(message: str) -> str:
    # tomllib quotes characters and keys, never values; this keeps it so
    return re.sub(r'"[^"]{20,}"', '"…"', message)


def _unreadable(path: Path, problem: str, mend: str) -> Misconfigured:
    return Misconfigured([Fault("", problem, mend, str(path))])

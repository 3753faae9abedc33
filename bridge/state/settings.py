"""Where the state lies."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


def default_directory() -> Path:
    """Return systemd's `$STATE_DIRECTORY`, else the user's state folder (XDG Base Directory Specification)."""
    if given := os.environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "kwh2mqtt"


class StateSettings(BaseModel):
    """`[state]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    directory: Path = Field(default_factory=default_directory)

"""One process a state folder: two of them would take turns at the broker and double every request."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bridge.errors import Fault, Misconfigured
from bridge.state.database import owned

FILE = "kwh2mqtt.lock"


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go of it however the process ends. Raises Misconfigured."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        owned(directory / FILE)
        handle = os.open(directory / FILE, os.O_RDWR)
    except OSError as error:
        raise unusable(directory, error) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        mend = "stop the other one, or give each a folder and a base topic of its own"
        raise Misconfigured([Fault("state.directory", f"{directory} is in use by another kwh2mqtt", mend)]) from None
    try:
        yield
    finally:
        os.close(handle)


def unusable(directory: Path, error: OSError) -> Misconfigured:
    """Return the fault of a state folder that cannot be used."""
    problem = f"{directory} cannot be used ({error.strerror or error})"
    return Misconfigured([Fault("state.directory", problem, "name a folder that the user of kwh2mqtt can write to")])

"""One process a state folder; the kernel lets go of it however the process ends."""

import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import Misconfigured
from bridge.state.lock import locked

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from bridge.state.lock import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds `tmp_path`, until its standard input is closed."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_with_what_to_do(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused, locked(tmp_path):
        pass
    assert str(refused.value) == (
        f"state.directory: {tmp_path} is in use by another kwh2mqtt; "
        "stop the other one, or give each a folder and a base topic of its own"
    )


def test_a_process_that_is_killed_lets_go(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path):
        pass


def test_a_process_that_ends_lets_go(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.communicate("")
    with locked(tmp_path):
        pass


def test_the_same_process_may_take_it_again_after_it_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            pass


def test_a_fault_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "a" / "state"):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "state", tmp_path / "a/state/kwh2mqtt.lock")]
    assert modes == [0o700, 0o600]


def test_a_folder_that_cannot_be_made_is_a_fault_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(Misconfigured) as refused, locked(tmp_path / "state"):
        pass
    assert str(refused.value) == (
        f"state.directory: {tmp_path / 'state'} cannot be used (File exists); "
        "name a folder that the user of kwh2mqtt can write to"
    )

"""The container: built from the Dockerfile on a Debian of the test's own, run once, and asked how it fares."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.transport.settings import MqttSettings
from tests.conftest import subscribed
from tests.test_run import ROOT, tibber, write

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
PROGRAMS = ("buildah", "debootstrap")
BASE, IMAGE = "localhost/kwh2mqtt-test-base", "localhost/kwh2mqtt-test"
OF_THIS_MACHINE = ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt", "/etc/resolv.conf")  # how it reaches its registries
real = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)), reason=f"needs root, {' and '.join(PROGRAMS)}"
)


class Buildah:
    """buildah with a store of its own."""

    def __init__(self, folder: Path) -> None:
        self._called = ["buildah", "--root", str(folder / "store"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([*self._called, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self._called, *arguments], cwd=ROOT, start_new_session=True)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """A buildah that has built the image."""
    folder = tmp_path_factory.mktemp("buildah")
    root = folder / "debian"
    packages = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", packages, "bookworm", str(root)], check=True, capture_output=True)
    for file in filter(os.path.exists, OF_THIS_MACHINE):
        shutil.copy(file, f"{root}{file}")
    made = Buildah(folder)
    base = made("from", "scratch")
    made("add", "--quiet", base, str(root), "/")
    made("commit", "--quiet", "--format", "docker", base, BASE)
    how = ("--isolation", "chroot", "--pull-never", "--network", "host", "--format", "docker", "--quiet")
    made("bud", *how, "--build-arg", f"BASE={BASE}", "--tag", IMAGE, ".")
    yield made
    shutil.rmtree(folder, ignore_errors=True)


def test_the_dockerfile_uses_no_shell_no_root_and_no_compiler() -> None:
    lines = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
    shells = [line for line in lines if re.match(r"(RUN|CMD|ENTRYPOINT) [^\[]", line)]
    assert shells == []
    assert "--only-binary" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    users = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert users == [("10001", "10001")]
    assert 'HEALTHCHECK --interval=60s --timeout=15s --start-period=90s --retries=3 CMD ["kwh2mqtt", "health"]' in lines


def test_the_image_takes_only_what_it_is_made_of() -> None:
    taken = {name for line in DOCKERFILE.splitlines() if line.startswith("COPY") and "--from" not in line
             for name in line.split()[1:-1]}  # fmt: skip
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert taken == allowed
    assert [name for name in sorted(taken) if not (ROOT / name).exists()] == []


def test_the_base_holds_nothing_that_has_no_wheel_for_32_bit_arm() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert "pydantic-core" in locked  # the only one that is compiled for each machine, and there is one for each
    assert locked.isdisjoint({"cffi", "cryptography", "pyyaml", "uvloop", "httptools", "msgspec", "psutil"})


@real
@pytest.mark.slow
async def test_the_image_runs_as_nobody_writes_nothing_but_its_state_and_is_well(
    buildah: Buildah, tmp_path: Path, mqtt: MqttSettings
) -> None:
    about = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    assert (about["User"], about["Entrypoint"], about["Cmd"]) == ("10001:10001", ["kwh2mqtt"], ["run"])
    assert about["Healthcheck"]["Test"] == ["CMD", "kwh2mqtt", "health"]
    container = buildah("from", "--pull-never", IMAGE)
    mounted = Path(buildah("mount", container))
    async with tibber() as (_, url), subscribed(mqtt) as seen:
        config = mounted / "etc" / "kwh2mqtt" / "bridge.toml"
        config.parent.mkdir()
        text = re.sub(r"\[state\]\n.*\n", "", write(tmp_path, mqtt, ("home", url)).read_text())
        config.write_text(text)
        config.chmod(0o644)
        marker = tmp_path / "marker"
        marker.touch()
        inside = ("run", "--isolation", "chroot", "--network", "host", "--user", "10001:10001", container, "--")
        process = buildah.start(*inside, "kwh2mqtt", "run")
        try:
            await seen.until(lambda seen: seen.get("kwh2mqtt/home/state") == "online", 60)
            assert buildah(*inside, "kwh2mqtt", "health") == "ok"
            assert written(mounted, marker) == set()  # its state is a volume: the root may be read-only
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)


def written(root: Path, marker: Path) -> set[str]:
    """Return the folders of `root` in which a file was written since."""
    command = ["find", str(root), "-xdev", "-newer", str(marker), "-type", "f", "-not", "-path", f"{root}/proc/*"]
    found: Any = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    own = {str(Path(path).parent).removeprefix(str(root)) for path in found}
    return own - {"/run", "/etc", "/dev", "/sys"}  # which buildah itself fills

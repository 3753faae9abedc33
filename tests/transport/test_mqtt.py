"""The broker's promises, kept by a real mosquitto."""

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import aiomqtt
import pytest

from bridge.clock import SystemClock
from bridge.models.message import Message
from bridge.simulator.broker import HOST, broker, free_port, programs
from bridge.transport.mqtt import Broker, connection, explained, greet
from bridge.transport.settings import MqttSettings, TlsSettings
from bridge.transport.shelf import Shelf
from tests.conftest import subscribed
from tests.transport.link import STATE, bridged, configured, messages, reached, until


async def test_everything_on_the_shelf_is_retained_with_qos_1_and_the_bridge_is_online(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    shelf.put(messages(100))
    async with bridged(mqtt, shelf) as link:
        await until(lambda: link.published == 101)
        async with subscribed(mqtt) as seen:
            await seen.until(lambda seen: len(seen.latest) == 101)
            assert seen.get(STATE) == "online"
            assert all(message.retain and message.qos == 1 for message in seen.messages)


async def test_it_says_offline_when_it_goes_and_what_was_on_the_shelf_is_sent_before(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    async with subscribed(mqtt) as seen:
        async with bridged(mqtt, shelf):
            await seen.until(lambda seen: seen.get(STATE) == "online")
            shelf.put(messages(50))
        await seen.until(lambda seen: seen.get(STATE) == "offline")
        assert len(seen.latest) == 51


async def test_it_says_offline_even_where_a_slow_broker_cannot_take_all_that_waits(tmp_path: Path) -> None:
    port = free_port()
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nmax_inflight_messages 1\n"
    async with configured(tmp_path, lines):  # without TCP_NODELAY and one at a time: 44 ms each
        settings, shelf = MqttSettings(host=HOST, port=port), Shelf()
        assert await reached(settings) is None
        async with subscribed(settings) as seen:
            async with bridged(settings, shelf):
                await seen.until(lambda seen: seen.get(STATE) == "online")
                shelf.put(messages(2000))
            await seen.until(lambda seen: seen.get(STATE) == "offline")


async def test_a_broker_that_forbids_publishing_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    (tmp_path / "acl").write_text("topic read #\n")
    tmp_path.chmod(0o755)
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nacl_file {tmp_path}/acl\n"
    async with configured(tmp_path, lines):
        settings, shelf = MqttSettings(host=HOST, port=port), Shelf()
        assert await reached(settings) is None
        shelf.put(messages(20))
        async with bridged(settings, shelf) as link:
            await until(lambda: link.published > 20)
    assert [record.getMessage()[:42] for record in caplog.records] == ["the broker does not let us publish (Not au"]


async def test_a_message_that_no_broker_can_take_does_not_hold_up_the_others(
    mqtt: MqttSettings, caplog: pytest.LogCaptureFixture
) -> None:
    shelf, far = Shelf(), SystemClock().now() + timedelta(days=365 * 500)
    shelf.put([Message("x" * 70_000, b"1"), Message("kwh2mqtt/home/x/price/import/value", b"0.2", far), *messages(3)])
    async with bridged(mqtt, shelf), subscribed(mqtt) as seen:
        await seen.until(lambda seen: len(seen.latest) == 5)
    assert [record.getMessage()[:5] for record in caplog.records] == ["xxxxx"]


async def test_two_that_bear_one_name_take_turns_ever_more_slowly(mqtt: MqttSettings) -> None:
    async with bridged(mqtt, Shelf()) as one:
        await until(lambda: one.connected)
        one._wait = lambda failures: 0.01 if failures < 3 else 60.0  # type: ignore[method-assign]
        for number in range(3):
            await until(lambda: one.connected)
            async with connection(mqtt, "kwh2mqtt-test"):
                await until(lambda number=number: one.connects > number and not one.connected)  # type: ignore[misc]
        await asyncio.sleep(0.2)
        assert (one.connects, one.connected) == (3, False)


async def test_its_will_says_offline_when_it_dies(mqtt: MqttSettings, tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(
        "import asyncio\n"
        "from bridge.clock import SystemClock\n"
        "from bridge.transport.mqtt import Broker\n"
        "from bridge.transport.settings import MqttSettings\n"
        "from bridge.transport.shelf import Shelf\n"
        f"settings = MqttSettings(host={mqtt.host!r}, port={mqtt.port})\n"
        f"asyncio.run(Broker(settings, Shelf(), SystemClock(), state_topic={STATE!r}, client_id='dies').run())\n"
    )
    async with subscribed(mqtt) as seen:
        process = subprocess.Popen([sys.executable, str(script)])
        await seen.until(lambda seen: seen.get(STATE) == "online")
        process.send_signal(signal.SIGKILL)
        process.wait()
        await seen.until(lambda seen: seen.get(STATE) == "offline")


async def test_an_unchanged_message_is_not_sent_again_and_of_many_changes_the_newest_arrives(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    async with subscribed(mqtt, "kwh2mqtt/home/#") as seen, bridged(mqtt, shelf):
        shelf.put(messages(1))
        await shelf.emptied()
        shelf.put(messages(1))
        for number in range(1000):
            shelf.put([Message("kwh2mqtt/home/x/info", b"%d" % number)])
        await seen.until(lambda seen: seen.get("kwh2mqtt/home/x/info") == "999")
        assert [str(message.topic) for message in seen.messages].count("kwh2mqtt/home/site-0/info") == 1


async def test_a_message_expires_at_the_broker(mqtt: MqttSettings) -> None:
    shelf, soon = Shelf(), SystemClock().now() + timedelta(seconds=90)
    async with bridged(mqtt, shelf):
        shelf.put([Message("kwh2mqtt/home/x/price/import/value", b"0.2512", soon)])
        await shelf.emptied()
        async with subscribed(mqtt, "kwh2mqtt/home/#") as seen:
            await seen.until(lambda seen: seen.messages)
            left = seen.messages[0].properties.MessageExpiryInterval  # type: ignore[union-attr]
            assert 85 <= left <= 90


async def test_what_has_expired_is_never_sent(mqtt: MqttSettings) -> None:
    shelf, past = Shelf(), SystemClock().now() - timedelta(seconds=1)
    async with subscribed(mqtt, "kwh2mqtt/home/#") as seen, bridged(mqtt, shelf):
        shelf.put([Message("kwh2mqtt/home/x/price/import/value", b"0.2512", past), *messages(1)])
        await seen.until(lambda seen: seen.latest)
        assert list(seen.latest) == ["kwh2mqtt/home/site-0/info"]


def event(payload: bytes, ahead: timedelta = timedelta(minutes=10)) -> Message:
    return Message("kwh2mqtt/home/x/event", payload, SystemClock().now() + ahead, retain=False)


async def test_an_event_arrives_with_qos_1_and_is_not_retained(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    async with bridged(mqtt, shelf), subscribed(mqtt, "kwh2mqtt/home/#") as seen:
        shelf.put([event(b'{"event_type":"dispatch_planned"}'), *messages(1)])
        await seen.until(lambda seen: len(seen.latest) == 2)
        told = [
            (message.payload, message.qos, message.retain) for message in seen.messages if message.topic.matches("+/+/+/event")
        ]
        assert told == [(b'{"event_type":"dispatch_planned"}', 1, False)]
        async with subscribed(mqtt, "kwh2mqtt/home/#") as late:
            await late.until(lambda late: late.messages)
            assert list(late.latest) == ["kwh2mqtt/home/site-0/info"]


async def test_an_event_that_waited_for_the_broker_is_sent_once_and_an_old_one_not_at_all(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    shelf.put([event(b"old", -timedelta(seconds=1)), event(b"news")])
    async with subscribed(mqtt, "kwh2mqtt/home/#") as seen, bridged(mqtt, shelf):
        await seen.until(lambda seen: seen.messages)
        shelf.put(messages(1))
        await seen.until(lambda seen: len(seen.latest) == 2)
        assert [message.payload for message in seen.messages] == [b"news", b"0"]


async def test_an_event_whose_arrival_nobody_confirmed_is_kept_for_the_next_connection(tmp_path: Path) -> None:
    if programs()[0] is None:
        pytest.skip("mosquitto is not installed")
    shelf = Shelf()
    async with broker(tmp_path) as running, bridged(MqttSettings(host=HOST, port=running.port), shelf) as link:
        await until(lambda: link.connected)
        await shelf.emptied()
        os.kill(running.pid, signal.SIGSTOP)
        shelf.put([event(b"news")])
        await shelf.emptied()
        os.kill(running.pid, signal.SIGKILL)
        await until(lambda: not link.connected)
        assert [message.payload for message in shelf._events] == [b"news"]


async def test_an_empty_payload_clears_a_retained_topic(mqtt: MqttSettings) -> None:
    shelf = Shelf()
    shelf.put(messages(2))
    async with bridged(mqtt, shelf):
        await shelf.emptied()
        shelf.clear(["kwh2mqtt/home/site-0/info"])
        await shelf.emptied()
        async with subscribed(mqtt, "kwh2mqtt/home/#") as seen:
            await seen.until(lambda seen: seen.latest)
            assert [str(message.topic) for message in seen.messages] == ["kwh2mqtt/home/site-1/info"]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_broker_killed_and_restarted_empty_has_all_back_within_five_seconds(tmp_path: Path, protocol: str) -> None:
    if programs()[0] is None:
        pytest.skip("mosquitto is not installed")
    port, shelf = free_port(), Shelf()
    settings = MqttSettings.model_validate({"host": HOST, "port": port, "protocol": protocol})
    shelf.put(messages(300))
    async with bridged(settings, shelf) as link:
        async with broker(tmp_path, port=port) as running:
            await until(lambda: link.connected)
            await shelf.emptied()
            os.kill(running.pid, signal.SIGKILL)
            await until(lambda: not link.connected)
        async with broker(tmp_path, port=port):
            await until(lambda: link.connects == 2)
            async with subscribed(settings, "kwh2mqtt/home/#") as seen:
                await seen.until(lambda seen: len(seen.latest) == 300, patience_s=5)


async def test_the_brokers_receive_maximum_is_heeded(tmp_path: Path) -> None:
    port = free_port()
    lines = f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nmax_inflight_messages 3\n"
    async with configured(tmp_path, lines):
        settings = MqttSettings(host=HOST, port=port)
        assert await reached(settings) is None
        async with connection(settings, "kwh2mqtt-test") as client:
            assert client.receive_maximum == 3
        shelf = Shelf()
        shelf.put(messages(100))
        async with bridged(settings, shelf) as link:
            await until(lambda: link.published > 100)


async def test_an_absent_broker_is_told_once_and_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    port, shelf = free_port(), Shelf()
    settings = MqttSettings(host=HOST, port=port)
    async with bridged(settings, shelf) as link:
        link._wait = lambda failures: 0.01  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert f"no connection to the broker at 127.0.0.1:{port}" in caplog.text
        async with broker(tmp_path, port=port):
            await until(lambda: link.connected)


def test_the_wait_grows_to_a_minute_and_is_never_none() -> None:
    link = Broker(MqttSettings(), Shelf(), SystemClock(), state_topic=STATE, client_id="x")
    waits = [[link._wait(failures) for _ in range(200)] for failures in (1, 3, 6, 50)]
    assert all(1 <= wait <= 60 for row in waits for wait in row)
    assert max(waits[0]) <= 2
    assert max(waits[3]) > 45
    assert len({round(wait, 3) for wait in waits[3]}) > 100


async def test_a_refused_login_names_the_keys(tmp_path: Path) -> None:
    port = free_port()
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "bridge", "right"], check=True, capture_output=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    lines = f"listener {port} {HOST}\nallow_anonymous false\nuser root\npassword_file {passwords}\npersistence false\n"
    async with configured(tmp_path, lines):
        wrong = MqttSettings.model_validate({"host": HOST, "port": port, "username": "bridge", "password": "wrong"})
        for protocol in ("5", "3.1.1"):
            trouble = await reached(wrong.model_copy(update={"protocol": protocol}))
            assert trouble == "it refused the login; check mqtt.username and mqtt.password"
        right = MqttSettings.model_validate({"host": HOST, "port": port, "username": "bridge", "password": "right"})
        assert await greet(right) is None


async def test_websockets(tmp_path: Path) -> None:
    nats = programs()[1]  # mosquitto's own websockets need a network that not every machine for tests has
    if nats is None:
        pytest.skip("nats-server is not installed")
    port = free_port()
    lines = (
        f'server_name: test\nlisten: "{HOST}:{free_port()}"\njetstream {{ store_dir: "{tmp_path}/store" }}\n'
        f'mqtt {{ listen: "{HOST}:{free_port()}" }}\nwebsocket {{ listen: "{HOST}:{port}", no_tls: true }}\n'
    )
    async with configured(tmp_path, lines, nats):
        settings = MqttSettings.model_validate({"host": HOST, "port": port, "protocol": "3.1.1", "transport": "websockets"})
        assert await reached(settings) is None
        shelf = Shelf()
        shelf.put(messages(20))
        async with bridged(settings, shelf) as link:
            await until(lambda: link.published > 20)


def certificate(folder: Path, name: str, issuer: str | None = None) -> None:
    """Make a key and a certificate for `name` with openssl, signed by `issuer` or by itself."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    if issuer is None:
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        openssl("req", "-x509", "-new", "-key", f"{name}.key", "-days", "2", "-subj", f"/CN={name}", "-out", f"{name}.crt",
                *extensions)  # fmt: skip
        return
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key", "-CAcreateserial",
            "-days", "2", "-extfile", "san", "-out", f"{name}.crt")  # fmt: skip


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket to the collector
async def test_tls_with_a_client_certificate_and_not_without(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    for name, issuer in (("authority", None), ("server", "authority"), ("client", "authority")):
        certificate(tmp_path, name, issuer)
    port = free_port()
    lines = (
        f"listener {port} {HOST}\nallow_anonymous true\nuser root\npersistence false\nrequire_certificate true\n"
        f"cafile {tmp_path}/authority.crt\ncertfile {tmp_path}/server.crt\nkeyfile {tmp_path}/server.key\n"
    )
    files = TlsSettings(ca_file=tmp_path / "authority.crt", cert_file=tmp_path / "client.crt", key_file=tmp_path / "client.key")
    async with configured(tmp_path, lines):
        settings = MqttSettings(host=HOST, port=port, tls=files)
        assert await reached(settings) is None
        assert await greet(settings.model_copy(update={"tls": TlsSettings(ca_file=tmp_path / "authority.crt")})) is not None
        assert "certificate verify failed" in str(await greet(settings.model_copy(update={"tls": TlsSettings()})))


def test_a_wrong_protocol_version_is_explained() -> None:
    assert "mqtt.protocol" in explained(aiomqtt.MqttCodeError(132))

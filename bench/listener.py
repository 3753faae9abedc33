"""A subscriber in a process of its own: `python -m bench.listener PORT`. It says `ready`, then listens until its input ends.

Then it prints a line a message: when it arrived (Unix time), its topic, and the price in it.
"""

import json
import sys
from time import time
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bridge.simulator.broker import HOST

FIGURES = ("value", "current")


def listen(port: int) -> None:
    arrived: list[tuple[float, str, bytes | bytearray]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def on_message(_client: paho.Client, _: Any, message: paho.MQTTMessage) -> None:
        arrived.append((time(), message.topic, message.payload))

    client.on_message = on_message
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect(HOST, port)
    client.subscribe([(f"+/+/+/price/+/{figure}", 0) for figure in FIGURES])
    client.loop_start()
    sys.stdin.read()
    client.loop_stop()
    for moment, topic, payload in arrived:
        if payload:
            price = json.loads(payload)
            print(repr(moment), topic, price["value"] if isinstance(price, dict) else price)


if __name__ == "__main__":
    listen(int(sys.argv[1]))

"""MQTT: the broker, and the connection to it. Only this room knows aiomqtt (asyncio-mqtt's present name) and paho."""

from bridge.transport.mqtt.broker import ONLINE as ONLINE
from bridge.transport.mqtt.broker import Broker as Broker
from bridge.transport.mqtt.connection import IN_FLIGHT as IN_FLIGHT
from bridge.transport.mqtt.connection import OFFLINE as OFFLINE
from bridge.transport.mqtt.connection import QOS as QOS
from bridge.transport.mqtt.connection import Client as Client
from bridge.transport.mqtt.connection import connection as connection
from bridge.transport.mqtt.connection import explained as explained
from bridge.transport.mqtt.connection import greet as greet
from bridge.transport.mqtt.line import Line as Line

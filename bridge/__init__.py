"""kwh2mqtt: energy prices and readings on MQTT topics, and commands back."""

__version__ = "0.1.0"

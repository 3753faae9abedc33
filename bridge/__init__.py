"""kwh2mqtt: energy prices and readings on MQTT topics, and commands back."""

__version__ = "0.1.0"
HOMEPAGE = "https://example.org/kwh2mqtt"  # where it is to be found once it is published

"""Home Assistant's MQTT discovery: what is known of a site becomes a device with its entities.

What is said of Home Assistant here was read in its own `components/mqtt`, `sensor` and `recorder`, 2024.3.3 and 2026.11.0.
"""

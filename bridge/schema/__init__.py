"""`kwh2mqtt schema`."""

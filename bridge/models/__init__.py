"""The words that the rooms speak to each other: frozen, no I/O, no clock."""

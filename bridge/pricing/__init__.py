"""Arithmetic over a price curve: pure, no clock, no I/O. Every moment is an argument."""

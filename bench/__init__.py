"""Measures what was promised: `python -m bench` for all of it, `python -m bench NAME…` for some.

Nothing here asserts. These machines are noisy, so what can be is measured against a floor, in turns, in the same run.
"""

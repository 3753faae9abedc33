"""Whoever makes no progress for too long has fallen silent, and is named."""

from bridge.pulse import BROKER, LONGEST_SILENCE_S, SCHEDULER, Pulse


class Seconds:
    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


def test_a_part_that_falls_silent_is_named_until_it_makes_progress_again() -> None:
    seconds = Seconds()
    pulse = Pulse(seconds)
    seconds.passed = LONGEST_SILENCE_S
    assert pulse.silent() is None
    pulse.beat(BROKER)
    seconds.passed += 1
    assert pulse.silent() == SCHEDULER
    pulse.beat(SCHEDULER)
    assert pulse.silent() is None
    seconds.passed += LONGEST_SILENCE_S
    pulse.beat(SCHEDULER)
    assert pulse.silent() == BROKER

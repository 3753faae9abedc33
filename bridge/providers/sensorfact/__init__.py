"""Sensorfact: what a factory's meters measured, over REST: electricity, water, gas, compressed air, the state of machines.

Its public page tells how to ask, and neither addresses nor fields nor units: those are configured, and values are published as
they come, in the configured unit. A bad key is a 403, and how finely may be asked depends on how long a time it is about.
"""

from datetime import timedelta

from bridge.providers.base import Provider
from bridge.providers.sensorfact.operations import OPERATIONS
from bridge.providers.sensorfact.settings import SensorfactSettings
from bridge.providers.sensorfact.source import Sensorfact

PAUSE = timedelta(minutes=5)  # after a 429 that does not say: the window that the provider's page has as an example

PROVIDER = Provider(
    settings=SensorfactSettings, source=Sensorfact, pause=PAUSE, heeds_rate_limits=True, operations=OPERATIONS
)  # fmt: skip

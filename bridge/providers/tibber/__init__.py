"""Tibber: prices by the quarter-hour, consumption and production by the hour, over GraphQL.

Prices arrive gross, in the currency's major unit per kWh, with the home's wall-clock offset: published as they are, in UTC.
A 200 may be a failure, and no contract, an empty day or a null home is no error at all to the API.
"""

from bridge.providers.base import Provider
from bridge.providers.tibber.operations import OPERATIONS
from bridge.providers.tibber.reach import GUARD
from bridge.providers.tibber.source import Tibber, TibberSettings

PROVIDER = Provider(settings=TibberSettings, source=Tibber, operations=OPERATIONS, guard=GUARD)

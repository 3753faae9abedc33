"""Octopus Energy and others on Kraken: half-hourly prices, readings, dispatches and sessions, over GraphQL and REST.

Prices arrive in pence per kWh, tax included, as numbers or as strings; we publish pounds. A balance arrives in pence, energy in
kWh, Wh or m³. A 200 may be a failure, a token lives for an hour, and two hosts answer to one account.
"""

from bridge.providers.base import Provider
from bridge.providers.octopus.operations import OPERATIONS
from bridge.providers.octopus.reach import GUARD
from bridge.providers.octopus.settings import PAUSE, OctopusSettings
from bridge.providers.octopus.source import Octopus

PROVIDER = Provider(settings=OctopusSettings, source=Octopus, pause=PAUSE, operations=OPERATIONS, guard=GUARD)

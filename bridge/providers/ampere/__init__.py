"""ampere.cloud: the power, energy and irradiation of photovoltaic facilities, over an Apollo GraphQL gateway.

What the provider publishes of its API is an address, a token and five names: all else stands in the profile, unconfirmed.
"""

from bridge.providers.ampere.operations import OPERATIONS
from bridge.providers.ampere.settings import AmpereSettings
from bridge.providers.ampere.source import Ampere
from bridge.providers.base import Provider

PROVIDER = Provider(settings=AmpereSettings, source=Ampere, operations=OPERATIONS)

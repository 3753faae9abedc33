"""OctoMesh: entities of plants and machines, over GraphQL in two dialects and REST, signed in by OAuth 2.0.

Every tenant has types of its own: what is sent is written from the schema that the tenant's server tells. Values come without
units, which are configured or stand in the construction kit.
"""

from bridge.providers.base import Provider
from bridge.providers.octomesh.operations import OPERATIONS
from bridge.providers.octomesh.reach import GUARD
from bridge.providers.octomesh.settings import PAUSE, OctoMeshSettings
from bridge.providers.octomesh.source import OctoMesh

PROVIDER = Provider(settings=OctoMeshSettings, source=OctoMesh, pause=PAUSE, operations=OPERATIONS, guard=GUARD)

"""The published server's fields: entities, stream data and the construction kit, each by type and by name of the type.

What is missing of the real one: subscriptions, saved queries, searches, aggregations over entities, changes of the kit.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from bridge.simulator.octomesh import changes, entities, kit, kits, stream_reads
from bridge.simulator.octomesh.tree import MUTATION, QUERY, Tree

TYPED = [each for each in kit.TYPES.values() if each.typed]

RUNTIME: Tree = MappingProxyType(
    {
        "runtimeEntities": partial(entities.listed, None),
        **{each.field: partial(entities.listed, each.id) for each in TYPED},
    }
)
STREAM_DATA: Tree = MappingProxyType(
    {
        "streamDataEntities": stream_reads.generic,
        "transientStreamDataQuery": {
            "simple": stream_reads.simple,
            "aggregation": stream_reads.aggregation,
            "downsampling": stream_reads.downsampling,
        },
        **{each.field: stream_reads.for_type(each.id) for each in TYPED if kit.has_stream(each.id)},
    }
)
CONSTRUCTION_KIT: Tree = MappingProxyType(
    {"types": kits.types, "attributes": kits.attributes, "enums": kits.enums, "models": kits.models}
)
WRITES: Tree = MappingProxyType(
    {
        "runtimeEntities": {"create": changes.create, "update": changes.update, "delete": changes.delete},
        **{
            f"{each.field}s": {
                "create": partial(changes.create_typed, each.id),
                "update": partial(changes.update_typed, each.id),
            }
            for each in TYPED
            if each.typed_writes
        },
    }
)
TREE: Mapping[str, Tree] = MappingProxyType(
    {
        QUERY: {"runtime": RUNTIME, "streamData": STREAM_DATA, "constructionKit": CONSTRUCTION_KIT},
        MUTATION: {"runtime": WRITES},
    }
)

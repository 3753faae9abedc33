"""What to say of entities that are configured and did not come: pure. One that could not be read is not gone."""

from collections.abc import Mapping

from bridge.providers.octomesh.dialect import Row
from bridge.providers.octomesh.filters import folded
from bridge.providers.octomesh.settings import EntitySettings

MOST_NAMED = 5  # entities in a message


def unread(odd: int) -> str:
    """Return what to say of so many entities that came as null, or in a shape that cannot be read."""
    return f"{odd} of them could not be told by the server, or not be read here; with --verbose the log tells why"


def absent(entity: EntitySettings, rows: Mapping[str, Row]) -> str:
    """Return what to say where no entity came, or not each that is configured by name or id; empty where all did."""
    if not rows and not entity.rt_ids and not entity.well_known_names:
        return f"there is no {entity.type}" + (" that filter lets pass" if entity.filter else "")
    ids, names = {folded(rt_id) for rt_id in rows}, {row.well_known_name for row in rows.values()}
    missing = [rt_id for rt_id in entity.rt_ids if folded(rt_id) not in ids]
    missing += [name for name in entity.well_known_names if name not in names]
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return f"there is no {entity.type} {', '.join(missing[:MOST_NAMED])}{more}" if missing else ""

"""`[readers]`: those who cannot read our topics as they are. Without the section, nothing is told to anyone in another shape."""

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.errors import Fault
from bridge.faults import Origin, nearest
from bridge.providers.base.settings import from_json
from bridge.topics import is_publishable


def _prefix(topic: str) -> str:
    if topic != topic.strip("/") or "//" in topic or topic.startswith("$") or not is_publishable(topic):
        raise ValueError("must be a topic without wildcards, such as warp3/ABC")
    return topic


class WarpSettings(BaseModel):
    """`[readers.warp.NAME]`: a WARP charger, and whose prices it is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    topic: Annotated[str, AfterValidator(_prefix)] = Field(max_length=256)  # the charger's own prefix
    source: str
    site: str  # as on our topics
    stream: str = "import"


class ReadersSettings(BaseModel):
    """`[readers]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    warp: Annotated[dict[str, WarpSettings], BeforeValidator(from_json)] = {}


def strangers(readers: ReadersSettings, sources: Iterable[str], origin: Origin) -> Iterator[Fault]:
    """Yield a fault for each reader that is to be told of none of `sources`, or on a topic on which another one is told."""
    known, taken = list(sources), dict[str, str]()
    for name, charger in readers.warp.items():
        key = f"readers.warp.{name}"
        if charger.source not in known:
            yield Fault(f"{key}.source", f"{charger.source} is not configured", nearest(charger.source, known), origin.of(key))
        if (other := taken.setdefault(charger.topic, name)) != name:
            yield Fault(f"{key}.topic", f"is that of {other}", "give each charger its own", origin.of(key))

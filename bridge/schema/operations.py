"""Every operation that may be asked for, with the shapes of its arguments and of its result."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from bridge.commands import generic, planner
from bridge.providers import base as providers


class Asked(NamedTuple):
    """An operation: of every source, of the bridge, or of the sources of one provider."""

    name: str
    source: str  # the level of the topic that names the source; braced where it differs
    provider: str  # empty where it is none's
    kind: str
    about: str
    arguments: Any
    result: Any

    @property
    def full_name(self) -> str:
        """The name among all operations; `octopus.boost_start` is one of every source of Octopus, whatever it is called."""
        return f"{self.source.strip('{}')}.{self.name.strip('{}')}"


OWN = Asked("{operation}", "{source}", "", "query or write", "a GraphQL document of your own", dict[str, Any], Any)


def operations() -> Iterator[Asked]:
    """Yield every operation that the code declares, those of each provider there is among them, and that of a user's document."""
    for name, one in generic.OPERATIONS.items():
        yield Asked(name, "{source}", "", one.kind, one.about, one.arguments, one.result)
    for name, one in planner.OPERATIONS.items():
        yield Asked(name, planner.SOURCE, "", one.kind, one.about, one.arguments, one.result)
    for provider in sorted(providers.names()):
        found = providers.find(provider)
        for name, one in found.operations.items() if found else ():
            yield Asked(name, f"{{{provider}}}", provider, one.kind, one.about, one.arguments, one.result)
    yield OWN

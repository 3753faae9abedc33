"""Every operation that may be asked for, with the shapes of its arguments and of its result.

Without a configuration that is what any might have: the operations of every provider, and a document of one's own as such.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bridge.commands import generic, planner
from bridge.commands.documents import Document
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


DOCUMENT = "a GraphQL document of your own"
OWN = Asked("{operation}", "{source}", "", "query or write", DOCUMENT, dict[str, Any], Any)


class Configured(NamedTuple):
    """What a configuration has."""

    sources: Mapping[str, str]  # name → provider
    documents: Mapping[str, Mapping[str, Document]]  # the user's own, by source and name

    def called(self, level: str) -> list[str]:
        """Return the names that may stand where a topic has `{level}`: `source`, or a provider; none where it is another."""
        return sorted(name for name, provider in self.sources.items() if level in ("source", provider))


def operations(configured: Configured | None = None) -> Iterator[Asked]:
    """Yield every operation there is, of the configured sources or of all that may be."""
    for name, one in generic.OPERATIONS.items():
        yield Asked(name, "{source}", "", one.kind, one.about, one.arguments, one.result)
    for name, one in planner.OPERATIONS.items():
        yield Asked(name, planner.SOURCE, "", one.kind, one.about, one.arguments, one.result)
    for provider in providers.names() if configured is None else sorted(set(configured.sources.values())):
        found = providers.find(provider)
        for name, one in found.operations.items() if found else ():
            yield Asked(name, f"{{{provider}}}", provider, one.kind, one.about, one.arguments, one.result)
    if configured is None:
        yield OWN
        return
    for source, documents in sorted(configured.documents.items()):
        for name, document in sorted(documents.items()):
            yield Asked(name, source, "", document.kind, DOCUMENT, dict[str, Any], Any)

"""All that may be asked of one source: what every source has, what its provider declares, and the user's own documents."""

from collections.abc import Awaitable, Callable, Iterator, Mapping

from bridge.commands import declared, documents
from bridge.commands.documents import Document
from bridge.commands.generic import Generic, Holdings
from bridge.commands.offer import Offer
from bridge.providers.base import Executor, Introspectable, Provider, Source


def offers(
    name: str,
    provider: Provider,
    source: Source,
    holdings: Holdings,
    own: Mapping[str, Document],
    refresh: Callable[[], Awaitable[list[str]]],
) -> Iterator[Offer]:
    """Yield every offer of the source called `name`."""
    yield from Generic(name, holdings, source, refresh).offers()
    if isinstance(source, Executor):
        yield from declared.offers(name, provider.operations, source, holdings)
    if isinstance(source, Introspectable):
        yield from documents.offers(name, own, source)

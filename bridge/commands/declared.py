"""The operations that a provider declares, as offers: sites go by their topic names outside and by the provider's ids inside."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bridge.commands.answer import plain
from bridge.commands.generic import Holdings
from bridge.commands.offer import Offer, Run, offered
from bridge.errors import NotFound
from bridge.providers.base import Executor, Operation


def offers(source: str, operations: Mapping[str, Operation], executor: Executor, holdings: Holdings) -> Iterator[Offer]:
    """Yield an offer for each declared operation of `source`."""
    for name, operation in operations.items():
        yield offered(source, name, operation, _runner(name, executor, holdings))


def _runner(name: str, executor: Executor, holdings: Holdings) -> Run:
    async def run(given: BaseModel, moment: datetime) -> Any:
        answer = await executor.execute(name, _inside(given, holdings), holdings, moment)
        return _outside(plain(answer), {id_: place.name for id_, place in holdings.places.items()})

    return run


def _inside(given: BaseModel, holdings: Holdings) -> BaseModel:
    """Return the arguments with the provider's id of their site. Raises NotFound for a name that no site has.

    A `facility` is a site too, and may go by the provider's id as well.
    """
    names = {place.name: id_ for id_, place in holdings.places.items()}
    if (facility := getattr(given, "facility", None)) in names:
        given = given.model_copy(update={"facility": names[facility]})
    wanted = getattr(given, "site", None)
    if not isinstance(wanted, str):
        return given
    if wanted not in names:
        raise NotFound(f"there is no site {wanted[:64]}; there is: {', '.join(names) or 'none'}")
    return given.model_copy(update={"site": names[wanted]})


def _outside(value: Any, names: Mapping[str, str]) -> Any:
    """Return `value` with the topic name of each site in place of its id."""
    match value:
        case dict():
            return {key: names.get(inner, inner) if key == "site" and isinstance(inner, str) else _outside(inner, names)
                    for key, inner in value.items()}  # fmt: skip
        case list():
            return [_outside(inner, names) for inner in value]
    return value

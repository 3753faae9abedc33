"""A user's own GraphQL documents as operations: judged when the bridge starts, their variables checked before anything is sent.

Only the types that GraphQL itself has are checked; an input object or an enum of the provider's is for the provider to judge.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.commands.offer import Offer
from bridge.errors import BadRequest, Fault, Misconfigured, Refused
from bridge.providers.base import DocumentSettings, Endpoint, Guard, Introspectable, Kind, SourceSettings
from bridge.transport.document import HARMLESS, Parsed, Variable, parsed, refusal

LARGEST_INT = 2**31  # GraphQL's Int has 32 bits
OWN_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "Int": int,
    "Float": (int, float),
    "String": str,
    "Boolean": bool,
    "ID": (str, int),
}


@dataclass(frozen=True)
class Document:
    """A document of the user's that may be sent."""

    name: str
    text: str
    endpoint: str
    parsed: Parsed

    @property
    def kind(self) -> Kind:
        return Kind(self.parsed.kind)


def load(
    settings: SourceSettings, key: str, guard: Guard, taken: Collection[str], folder: Path, file: str | None
) -> Iterator[Document | Fault]:
    """Yield each document of the source at `key`, or what is wrong with it. Relative paths begin at `folder`."""
    for name, given in settings.operations.items():
        place = f"{key}.operations.{name}"
        if name in taken:
            yield Fault(place, "there is an operation of this name already", "choose another name", file)
            continue
        try:
            yield _loaded(name, given, guard, folder)
        except Misconfigured as error:
            yield from (replace(fault, key=f"{place}.document", file=file) for fault in error.faults)


def offers(source: str, documents: Mapping[str, Document], asked: Introspectable) -> Iterator[Offer]:
    """Yield an offer for each document. Raises Misconfigured where its endpoint is none of the source's."""
    endpoints = {endpoint.name: endpoint for endpoint in asked.endpoints()}
    for name, document in documents.items():
        if document.endpoint not in endpoints:
            key, known = f"sources.{source}.operations.{name}.endpoint", ", ".join(filter(None, endpoints)) or "none"
            raise Misconfigured([Fault(key, "is none of this source's", f"leave it out, or use one of: {known}")])
        yield Offer(
            source=source,
            name=name,
            kind=document.kind,
            about=f"a document of the user's: {', '.join(sorted(document.parsed.roots))}",
            read=_reader(document.parsed.variables),
            run=_runner(document, endpoints[document.endpoint]),
        )


def _loaded(name: str, given: DocumentSettings, guard: Guard, folder: Path) -> Document:
    path = given.document if given.document.is_absolute() else folder / given.document
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Misconfigured(
            [Fault("document", f"{path} cannot be read ({reason})", "give the path of a GraphQL document")]
        ) from None
    judged = parsed(text)
    if (why := refusal(judged, guard.writes, guard.hidden)) is not None:
        raise Misconfigured([Fault("document", *why.rsplit("; ", 1))])
    if judged.kind == "write" and len(judged.roots - HARMLESS) > 1:  # one may be done before the other is refused
        raise Misconfigured([Fault("document", "writes by several fields at once", "give each a document of its own")])
    return Document(name, text, given.endpoint, judged)


def _runner(document: Document, endpoint: Endpoint) -> Callable[[Any, datetime], Any]:
    async def run(variables: Mapping[str, Any], _: datetime) -> Any:
        send = endpoint.ask if document.kind is Kind.QUERY else endpoint.write
        if send is None:
            raise BadRequest("this source takes no writes")
        result = await send(document.text, dict(variables))
        if result.errors and all(value is None for value in result.data.values()):
            message = result.errors[0].message
            raise Refused(f"the provider answered: {message}", reasons=result.errors[0].reasons or (message,))
        return result.data

    return run


def _reader(variables: tuple[Variable, ...]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    known = {variable.name: variable for variable in variables}

    def read(given: Mapping[str, Any]) -> Mapping[str, Any]:
        if unknown := sorted(given.keys() - known.keys()):
            raise BadRequest(f"args.{unknown[0][:64]}: is not a variable of the document; it has: {', '.join(known) or 'none'}")
        for variable in variables:
            if variable.required and variable.name not in given:
                raise BadRequest(f"args.{variable.name}: is missing; it is a {variable.type}")
            if variable.name in given and not fits(given[variable.name], variable.type):
                raise BadRequest(f"args.{variable.name}: must be a {variable.type}")
        return dict(given)

    return read


def fits(value: Any, type_: str) -> bool:
    """Tell whether `value` can be a GraphQL `type_`, such as `[Int!]`, as far as that can be told without the schema."""
    if type_.endswith("!"):
        return value is not None and fits(value, type_[:-1])
    if value is None:
        return True
    if inner := re.fullmatch(r"\[(.*)\]", type_):
        return all(fits(item, inner[1]) for item in value) if isinstance(value, list) else fits(value, inner[1])
    if type_ == "Int" and isinstance(value, int) and not -LARGEST_INT <= value < LARGEST_INT:
        return False
    is_of = OWN_TYPES.get(type_)
    return is_of is None or (isinstance(value, is_of) and (type_ == "Boolean" or not isinstance(value, bool)))

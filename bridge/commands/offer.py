"""What may be asked of the bridge: an operation of a source, with the means to carry it out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from bridge.providers.base import Kind, Operation

Run = Callable[[Any, datetime], Awaitable[Any]]  # the arguments, checked, and the moment → a model, or what JSON knows


@dataclass(frozen=True)
class Personal:
    """Arguments and whose they are."""

    client: str
    given: Any


@dataclass(frozen=True)
class Offer:
    """One operation of one source."""

    source: str
    name: str
    kind: Kind
    about: str
    read: Callable[
        [Mapping[str, Any]], Any
    ]  # the arguments as they came → as `run` takes them; raises ValidationError, BadRequest
    run: Run
    remote: bool = True  # whether the provider is asked, or what is known already will do
    personal: bool = False  # whether `run` takes Personal, as it matters who asks; of what is not remote
    arguments: type[BaseModel] | None = None  # where they are a model
    result: type[BaseModel] | None = None

    @property
    def full_name(self) -> str:
        return f"{self.source}.{self.name}"


def offered(source: str, name: str, operation: Operation, run: Run, *, remote: bool = True, personal: bool = False) -> Offer:
    """Return the offer of an operation that is declared."""
    return Offer(
        source=source,
        name=name,
        kind=operation.kind,
        about=operation.about,
        read=operation.arguments.model_validate,
        run=run,
        remote=remote,
        personal=personal,
        arguments=operation.arguments,
        result=operation.result,
    )


Offers = Mapping[tuple[str, str], Offer]  # by source and name

"""What a device may ask of an OctoMesh tenant, as models: arguments in, what the server knows or confirms out.

Attributes go by the names of the tenant's own types, and their values as JSON has them.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints, model_validator

from bridge.models.price import Instant
from bridge.providers.base import Kind, Operation
from bridge.providers.octomesh.settings import AttributeName, FilterTable, Name, ObjectId, TypeId, like

MOST_ATTRIBUTES, MOST_TARGETS = 200, 100
LONGEST_CONTENT = 60_000  # letters of base64: a command has 64 KiB at the most
CONTENT_TYPE = r"[A-Za-z0-9.+-]{1,50}/[A-Za-z0-9.+-]{1,50}"
FILE_NAME = r"[^/\\\x00-\x1f\"]{1,200}"


def _few(attributes: dict[str, Any]) -> dict[str, Any]:
    if len(attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"must be no more than {MOST_ATTRIBUTES}")
    return attributes


Attributes = Annotated[dict[AttributeName, Any], AfterValidator(_few)]
Wanted = Annotated[tuple[AttributeName, ...], Field(min_length=1, max_length=MOST_ATTRIBUTES)]
Direction = Literal["asc", "desc"]


def _base64(text: str) -> str:
    try:
        b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise ValueError("must be base64 (RFC 4648), without line breaks") from None
    return text


Content = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_CONTENT), AfterValidator(_base64)]
FileName = Annotated[str, like(FILE_NAME, "the name of a file, without a folder")]
ContentType = Annotated[str, like(CONTENT_TYPE, "a media type such as application/pdf")]


class Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Nothing(Arguments):
    """No arguments."""


class Entities(Arguments):
    type: TypeId
    attributes: Wanted | None = None  # default: every plain one that the schema has
    filter: FilterTable | None = None
    order: dict[AttributeName, Direction] = Field(default_factory=dict, max_length=5)
    first: int = Field(default=100, ge=1, le=500)
    after: str | None = Field(default=None, max_length=1024)


class Entity(Arguments):
    type: TypeId
    rt_id: ObjectId | None = None
    well_known_name: Name | None = None
    attributes: Wanted | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.rt_id is None) == (self.well_known_name is None):
            raise ValueError("name the entity by rt_id or by well_known_name, one of them")
        return self


class History(Arguments):
    type: TypeId  # the stream's, or that of configured entities that have one
    rt_id: ObjectId
    start: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    attributes: Wanted | None = None
    first: int = Field(default=100, ge=1, le=1000)
    after: str | None = Field(default=None, max_length=1024)

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.end <= self.start:
            raise ValueError("to must be after from")
        return self


class Create(Arguments):
    type: TypeId
    well_known_name: Name | None = None
    attributes: Attributes


class Update(Arguments):
    type: TypeId
    rt_id: ObjectId
    attributes: Annotated[Attributes, Field(min_length=1)]


class Delete(Arguments):
    type: TypeId
    rt_id: ObjectId


class TargetEntity(Arguments):
    rt_id: ObjectId
    type: TypeId | None = None


class Associate(Arguments):
    type: TypeId
    rt_id: ObjectId
    association: AttributeName
    targets: Annotated[tuple[ObjectId | TargetEntity, ...], Field(min_length=1, max_length=MOST_TARGETS)]


class File(Arguments):
    name: FileName
    content: Content  # base64
    content_type: ContentType = "application/octet-stream"

    @property
    def binary(self) -> bytes:
        return b64decode(self.content)


class Library(Arguments):
    """A library of construction kits: as an object, or as a file."""

    library: dict[str, Any] | None = Field(default=None, min_length=1)
    name: FileName | None = None
    content: Content | None = None
    content_type: ContentType = "application/json"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.library is None) == (self.content is None):
            raise ValueError("give library, or name and content")
        if self.content is not None and self.name is None:
            raise ValueError("name is missing: the server tells by it what kind of file it is")
        return self

    @property
    def title(self) -> str:
        """The name of the file that it goes as."""
        told = re.sub(r"[^\w.-]", "-", str((self.library or {}).get("libraryId") or "library"))
        return self.name or f"{told}.json"


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class EntityState(Result):
    rt_id: str
    type: str
    well_known_name: str | None
    attributes: dict[str, Any]


class FoundEntities(Result):
    entities: tuple[EntityState, ...]
    next: str | None
    total: int | None
    filtered: Literal["server", "here"] | None  # who judged the filter; None where there is none


class FoundEntity(Result):
    entity: EntityState


class StreamPoint(Result):
    at: Instant
    attributes: dict[str, Any]


class FoundPoints(Result):
    points: tuple[StreamPoint, ...]
    next: str | None


class Told(RootModel[Any]):
    """What the server answered, as it stands."""


class Gone(Result):
    """Nothing is left to tell."""


OPERATIONS = {
    "entities": Operation(Kind.QUERY, "the entities of a type", Entities, FoundEntities),
    "entity": Operation(Kind.QUERY, "one entity, by its id or its well-known name", Entity, FoundEntity),
    "history": Operation(Kind.QUERY, "the points of a stream over a span of time, the oldest first", History, FoundPoints),
    "tenant": Operation(Kind.QUERY, "what the server tells of the tenant", Nothing, Told),
    "libraries": Operation(Kind.QUERY, "the libraries of construction kits", Nothing, Told),
    "service_health": Operation(Kind.QUERY, "how the service feels", Nothing, Told),
    "entity_create": Operation(Kind.WRITE, "make an entity", Create, EntityState),
    "entity_update": Operation(Kind.WRITE, "change attributes of an entity", Update, EntityState),
    "entity_delete": Operation(Kind.WRITE, "put an entity into the archive", Delete, Gone),
    "association_add": Operation(Kind.WRITE, "let an entity lead to others", Associate, EntityState),
    "association_remove": Operation(Kind.WRITE, "take away where an entity leads", Associate, EntityState),
    "file_upload": Operation(Kind.WRITE, "store a file", File, Told),
    "library_upload": Operation(Kind.WRITE, "store a library of construction kits", Library, Told),
}

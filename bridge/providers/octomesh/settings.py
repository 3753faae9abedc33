"""`[sources.NAME]` with `provider = "octomesh"`: the server, the sign-in, and the entities that are published.

A bare host is enough for `url` and `identity_url`; a whole address is taken as it is.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from bridge.providers.base import RequestBudget, SourceSettings, Url, from_json
from bridge.providers.octomesh import filters
from bridge.providers.octomesh.amqp import AmqpSettings
from bridge.providers.octomesh.client import Client, Flow
from bridge.providers.octomesh.filters import RT_ID, WELL_KNOWN_NAME, Condition, Every, Filter
from bridge.providers.octomesh.naming import ATTRIBUTE, OBJECT_ID, TYPE
from bridge.state.budget import BudgetSettings

PAUSE = timedelta(minutes=1)  # after a 429 that does not say how long


def like(pattern: str, says: str) -> AfterValidator:
    """Return what lets a text pass that is as `pattern` has it, and else says what it must be."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {says}")
        return text

    return AfterValidator(check)


TypeId = Annotated[str, like(rf"(?=.{{1,200}}$){TYPE}", "a type of the construction kit such as Industry.Energy/EnergyMeter")]
AttributeName = Annotated[str, like(rf"(?=.{{1,100}}$){ATTRIBUTE}", "the name of an attribute: letters, digits and _")]
ObjectId = Annotated[str, like(OBJECT_ID, "the id of an entity, such as 65f1c0ffee65f1c0ffee65f1")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _readable(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if given is not None:
        filters.read(given)
    return given


FilterTable = Annotated[dict[str, Any], AfterValidator(_readable)]


class EntitySettings(BaseModel):
    """`[[sources.NAME.entities]]`: entities of one type that are published as meters."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: TypeId
    attributes: tuple[AttributeName, ...] | None = None  # default: every plain one that the schema has
    stream: TypeId | None = None  # whose newest point is published too
    stream_attributes: tuple[AttributeName, ...] | None = None  # likewise
    filter: FilterTable | None = None
    rt_ids: tuple[ObjectId, ...] = ()  # these alone
    well_known_names: tuple[Name, ...] = ()
    first: int = Field(default=200, ge=1, le=1000)  # of a page
    limit: int = Field(default=5000, ge=1, le=100_000)  # entities at the most
    units: dict[AttributeName, str] = Field(default_factory=dict)  # attribute → unit

    @model_validator(mode="after")
    def _columns_of_a_stream(self) -> Self:
        if self.stream is None and self.stream_attributes is not None:
            raise ValueError("stream_attributes are of a stream: name it in stream, or leave them out")
        return self

    @property
    def wanted(self) -> Filter:
        """All that an entity must meet."""
        parts = [filters.read(self.filter)] if self.filter is not None else []
        parts += [Condition(RT_ID, "in", list(self.rt_ids))] if self.rt_ids else []
        parts += [Condition(WELL_KNOWN_NAME, "in", list(self.well_known_names))] if self.well_known_names else []
        return Every(tuple(parts))


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError):
        raise ValueError("is not a known time zone, such as Europe/Vienna") from None


class OctoMeshSettings(SourceSettings):
    """One tenant of an OctoMesh server."""

    provider: Literal["octomesh"]
    url: Url
    identity_url: Url
    tenant: Annotated[str, like(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", "the id of a tenant: letters, digits, -, _ and .")]
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    client_secret: SecretStr | None = None  # without one a person signs in: kwh2mqtt login NAME
    flow: Flow | None = None
    scope: str | None = None  # default: octo_api where a client may write, else octo_api.read_only
    acr_values: bool = True  # whether the identity service is told the tenant
    redirect_port: int = Field(default=0, ge=0, le=65535)  # for login --browser; 0: any free one
    dialect: Literal["auto", "documented", "actual"] = "auto"
    rest: Literal["documented", "actual"] | None = None  # the shape of the REST addresses; default: the dialect's
    poll_seconds: int = Field(default=300, ge=60, le=86_400)
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    entities: Annotated[tuple[EntitySettings, ...], BeforeValidator(from_json)] = ()
    amqp: Annotated[AmqpSettings | None, BeforeValidator(from_json)] = None  # the message bus, where it is listened to
    budget: RequestBudget = BudgetSettings(requests=100, seconds=60)  # what the document allows

    @field_validator("client_secret")
    @classmethod
    def _not_empty(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and not secret.get_secret_value().strip():
            raise ValueError("must not be empty; leave it out where a person signs in")
        return secret

    @model_validator(mode="after")
    def _a_secret_where_one_is_needed(self) -> Self:
        if self.flow is Flow.CLIENT_CREDENTIALS and self.client_secret is None:
            raise ValueError("flow client_credentials needs a client_secret; add it, or leave flow out where a person signs in")
        return self

    @property
    def graphql_url(self) -> str:
        path = urlsplit(self.url).path.rstrip("/")
        return self.url if "graphql" in path.lower() else f"{self.url.rstrip('/')}/tenants/{self.tenant}/graphql"

    @property
    def rest_url(self) -> str:
        """Where REST begins: beside `/tenants/…` of a whole address."""
        return self.url.rstrip("/").partition("/tenants/")[0]

    def addresses(self) -> dict[str, str]:
        bus = {"amqp.host": f"amqp://{self.amqp.host}"} if self.amqp else {}
        return super().addresses() | bus

    @property
    def every(self) -> timedelta:
        return timedelta(seconds=self.poll_seconds)

    def client(self) -> Client:
        return Client(
            identity_url=self.identity_url,
            client_id=self.client_id,
            tenant=self.tenant,
            client_secret=self.client_secret.get_secret_value() if self.client_secret else None,
            acr_values=self.acr_values,
            flow=self.flow,
            scope=self.scope,
            redirect_port=self.redirect_port,
        )

    def identity(self) -> str:
        return f"{self.graphql_url} {self.tenant} {self.client_id}"

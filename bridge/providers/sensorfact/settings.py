"""`[sources.NAME]` with `provider = "sensorfact"`: the site, and which measurements are read from where.

The provider's public page names no address, no path and no field: they are the user's to copy from his own OpenAPI page. No unit
is known either, so a field is published with the one that stands beside it and not without.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal, NoReturn, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from bridge.providers.base import DocumentSettings, HeaderSecret, RequestBudget, SourceSettings, Url
from bridge.providers.base.settings import from_json
from bridge.providers.sensorfact.aggregation import AUTO, Kind, is_too_fine, least
from bridge.providers.sensorfact.values import OURS, Interval, LevelName, Parameter, Path, Text, Texts, WindowName, ZoneName
from bridge.providers.sensorfact.windows import Relative
from bridge.state.budget import BudgetSettings
from bridge.topics import fold


class MeasurementSettings(BaseModel):
    """`[[sources.NAME.measurements]]`: one list of measurements."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Text
    kind: Kind
    path: Path
    params: dict[str, Texts] = Field(default_factory=dict)
    window: WindowName = "1d-now"  # relative: an absolute one would never move
    aggregation: LevelName = AUTO
    site_timezone: ZoneName | None = None
    timestamp_field: Text = "timestamp"
    fields: dict[Text, Text] = Field(min_length=1)  # field of an item, a dot for each step down → its unit
    quantities: dict[Text, Text] = Field(default_factory=dict)  # field → how it is called on the topics; default: the field
    poll_interval: Interval | None = None  # default: the source's

    @field_validator("params")
    @classmethod
    def _leave_ours(cls, params: Mapping[str, object]) -> Mapping[str, object]:
        if taken := [name for name in params if name in OURS]:
            raise ValueError(f"must not hold {', '.join(taken)}, which the bridge sets itself")
        return params

    @field_validator("aggregation")
    @classmethod
    def _is_legal(cls, level: str, info: ValidationInfo) -> str:
        kind, window = info.data.get("kind"), info.data.get("window")
        if kind is None or window is None:
            return level
        floor = least(kind, Relative.parse(window).may_exceed)
        if is_too_fine(level, floor):
            raise ValueError(f"{level} is too fine for {kind.value} over {window}: the least level that is allowed is {floor}")
        return level

    @model_validator(mode="after")
    def _quantities_are_told_apart(self) -> Self:
        if strange := [field for field in self.quantities if field not in self.fields]:
            raise ValueError(f"quantities names {', '.join(strange)}, which fields does not have")
        names = [self.quantity(field) for field in self.fields]
        if not all(names):
            raise ValueError("a field has no letter that a topic can have: give it a name in quantities")
        if len(set(names)) < len(names):
            raise ValueError(f"two fields would have one topic ({', '.join(names)}): give one another name in quantities")
        return self

    def quantity(self, field: str) -> str:
        """Return how `field` is called on the topics."""
        return fold(self.quantities.get(field, field))

    @property
    def id(self) -> str:
        """What tells its meter from any other: a field that is gone makes another of it, and the old one's topics are cleared."""
        return f"{self.name} ({', '.join(sorted(map(self.quantity, self.fields)))})"


def _some(measurements: tuple[MeasurementSettings, ...]) -> tuple[MeasurementSettings, ...]:
    if not measurements:
        raise ValueError("must hold one at the least")
    return measurements


class SensorfactSettings(SourceSettings):
    """One site of an account."""

    provider: Literal["sensorfact"]
    url: Url
    api_key: HeaderSecret
    site: Text  # the provider has no list of sites
    measurements: Annotated[tuple[MeasurementSettings, ...], AfterValidator(_some), BeforeValidator(from_json)]
    aggregation_parameter: Parameter = "aggregation"
    page_size_parameter: Parameter | None = None
    page_size: int | None = Field(default=None, ge=1, le=100_000)
    stamp: Literal["start", "end"] = "start"  # which end of its bucket the timestamp of an item is
    poll_interval: Interval = timedelta(minutes=15)
    budget: RequestBudget = BudgetSettings(requests=100, seconds=300)  # half of what the provider's page has as an example

    @field_validator("url")
    @classmethod
    def _is_bare(cls, url: str) -> str:
        if "?" in url or "#" in url:
            raise ValueError("must end before any ? or #; what stands behind belongs into params of a measurement")
        return url.rstrip("/")

    @field_validator("operations")
    @classmethod
    def _has_no_documents(cls, operations: dict[str, DocumentSettings]) -> dict[str, DocumentSettings]:
        if operations:
            raise ValueError("is for providers that speak GraphQL, and this one does not")
        return operations

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.page_size is None) != (self.page_size_parameter is None):
            raise ValueError("page_size and page_size_parameter go together: give both or neither")
        if self.page_size_parameter == self.aggregation_parameter:
            raise ValueError("page_size_parameter and aggregation_parameter must not be the same")
        names = [measurement.name for measurement in self.measurements]
        for index, measurement in enumerate(self.measurements):
            if measurement.name in names[:index]:
                _wrong(index, "name", f"{measurement.name} is the name of another measurement too")
            if not fold(measurement.name):
                _wrong(index, "name", "has no letter that a topic can have")
            taken = [name for name in (self.aggregation_parameter, self.page_size_parameter) if name in measurement.params]
            if taken:
                _wrong(index, "params", f"must not hold {taken[0]}, which the bridge sets itself")
        self._agree_on_the_zone()
        return self

    def _agree_on_the_zone(self) -> None:
        said = list(self._zones())
        if not said:
            _wrong(0, "site_timezone", "is missing: at least one measurement must say it, such as Europe/Amsterdam")
        _, first = said[0]
        for index, zone in said:
            if zone != first:
                _wrong(index, "site_timezone", f"{zone} is not {first}, as before: a source is one site; make another of this")

    def _zones(self) -> Iterator[tuple[int, str]]:
        for index, measurement in enumerate(self.measurements):
            if measurement.site_timezone is not None:
                yield index, measurement.site_timezone

    @property
    def zone(self) -> ZoneInfo:
        """The site's own."""
        _, name = next(self._zones())
        return ZoneInfo(name)

    def every(self, measurement: MeasurementSettings) -> timedelta:
        return measurement.poll_interval or self.poll_interval

    def identity(self) -> str:
        return f"{self.url} {self.site} {self.api_key.get_secret_value()}"


def _wrong(index: int, key: str, problem: str) -> NoReturn:
    """Raise what is wrong with one key of a measurement, so that the complaint names it."""
    # braces are the library's own placeholders
    error = PydanticCustomError("value_error", "{problem}", {"problem": problem})
    details = InitErrorDetails(type=error, loc=("measurements", index, key), input=None)
    raise ValidationError.from_exception_data("SensorfactSettings", [details], hide_input=True)

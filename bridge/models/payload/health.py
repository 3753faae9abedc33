"""`{source}/health`, `bridge/health` and `bridge/info`: how the sources fare, and the bridge itself."""

from bridge.models.payload.base import Payload, Second


class ErrorFigure(Payload):
    """Why something is not as it should be."""

    code: str  # the same word for the same kind of error everywhere
    message: str


class BudgetFigures(Payload):
    """The request budget of a source: `remaining` of `limit`, one more at `resets_at` (null: all are free)."""

    limit: int
    remaining: int
    resets_at: Second | None


class SourceHealth(Payload):
    """`{source}/health`."""

    last_success: Second | None  # when a poll last brought all that was due
    last_attempt: Second | None  # when the last poll began
    next_poll: Second | None  # when the next one is due
    stale: bool  # whether what stands on the topics may be out of date
    error: ErrorFigure | None  # of the last poll, or of a part of it
    deprecations: tuple[str, ...]  # what the last `kwh2mqtt introspect SOURCE` found
    requests_today: int  # since midnight UTC
    budget: BudgetFigures


class SourceInfo(Payload):
    """A source, in `bridge/info`."""

    provider: str
    sites: tuple[str, ...]  # their names on the topics


class BridgeInfo(Payload):
    """`bridge/info`."""

    version: str  # of the program
    schema_version: int  # of what stands on the topics; greater where a reader must be changed
    sources: dict[str, SourceInfo]  # by name
    operations: dict[str, str]  # name → query or write


class SourceCounters(Payload):
    """What a source did since the start, in `bridge/health`."""

    polls: int
    failures: int
    requests_today: int  # since midnight UTC
    stale: bool  # as in `{source}/health`


class BridgeHealth(Payload):
    """`bridge/health`."""

    at: Second
    uptime_s: int  # s
    memory_mib: float | None  # resident set, MiB
    loop_lag_ms: float  # the longest that the event loop kept a timer waiting in the last minute
    publish_queue: int  # messages waiting for the broker
    published: int  # messages the broker took since the start
    reconnects: int  # to the broker, since the start
    sources: dict[str, SourceCounters]  # by name

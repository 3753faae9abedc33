"""`{source}/health`, `bridge/health` and `bridge/info`: how the sources fare, and the bridge itself."""

from bridge.models.payload.base import Payload, Second


class ErrorFigure(Payload):
    """Why something is not as it should be."""

    code: str
    message: str


class BudgetFigures(Payload):
    """The request budget of a source: `remaining` of `limit`, one more at `resets_at` (null: all are free)."""

    limit: int
    remaining: int
    resets_at: Second | None


class SourceHealth(Payload):
    """`{source}/health`."""

    last_success: Second | None
    last_attempt: Second | None
    next_poll: Second | None
    stale: bool
    error: ErrorFigure | None
    deprecations: tuple[str, ...]
    requests_today: int  # since midnight UTC
    budget: BudgetFigures


class SourceInfo(Payload):
    """A source, in `bridge/info`."""

    provider: str
    sites: tuple[str, ...]


class BridgeInfo(Payload):
    """`bridge/info`."""

    version: str
    schema_version: int
    sources: dict[str, SourceInfo]
    operations: dict[str, str]  # name → query or write


class SourceCounters(Payload):
    """What a source did since the start, in `bridge/health`."""

    polls: int
    failures: int
    requests_today: int
    stale: bool


class BridgeHealth(Payload):
    """`bridge/health`, every minute."""

    at: Second
    uptime_s: int
    memory_mib: float | None  # resident set, MiB
    loop_lag_ms: float  # the longest that the event loop kept a timer waiting in the last minute
    publish_queue: int  # messages waiting for the broker
    published: int  # messages the broker took since the start
    reconnects: int
    sources: dict[str, SourceCounters]

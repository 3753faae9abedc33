"""What stands on the topics: one model a shape, the JSON Schemas' only source.

Numbers are JSON numbers, never strings; instants are RFC 3339 in UTC with `Z`; what is unknown is null.
"""

from bridge.models.payload.base import SCHEMA_VERSION as SCHEMA_VERSION
from bridge.models.payload.base import Payload as Payload
from bridge.models.payload.event import DispatchPlanned as DispatchPlanned
from bridge.models.payload.event import Event as Event
from bridge.models.payload.event import NegativePrice as NegativePrice
from bridge.models.payload.event import PlanFinished as PlanFinished
from bridge.models.payload.event import PricesPublished as PricesPublished
from bridge.models.payload.event import SavingSession as SavingSession
from bridge.models.payload.event import WindowStarted as WindowStarted
from bridge.models.payload.health import BridgeHealth as BridgeHealth
from bridge.models.payload.health import BridgeInfo as BridgeInfo
from bridge.models.payload.health import BudgetFigures as BudgetFigures
from bridge.models.payload.health import ErrorFigure as ErrorFigure
from bridge.models.payload.health import SourceCounters as SourceCounters
from bridge.models.payload.health import SourceHealth as SourceHealth
from bridge.models.payload.health import SourceInfo as SourceInfo
from bridge.models.payload.plan import CheapestPayload as CheapestPayload
from bridge.models.payload.plan import PlanPayload as PlanPayload
from bridge.models.payload.plan import SegmentPayload as SegmentPayload
from bridge.models.payload.price import Columns as Columns
from bridge.models.payload.price import DayFigures as DayFigures
from bridge.models.payload.price import Price as Price
from bridge.models.payload.price import PriceSlot as PriceSlot
from bridge.models.payload.price import StretchPayload as StretchPayload
from bridge.models.payload.price import Summary as Summary
from bridge.models.payload.price import WindowPayload as WindowPayload
from bridge.models.payload.price import bare as bare
from bridge.models.payload.price import encoded_slots as encoded_slots
from bridge.models.payload.site import CostPayload as CostPayload
from bridge.models.payload.site import FigurePayload as FigurePayload
from bridge.models.payload.site import LivePayload as LivePayload
from bridge.models.payload.site import ReadingPayload as ReadingPayload
from bridge.models.payload.site import SiteInfo as SiteInfo
from bridge.models.payload.site import encoded_reading as encoded_reading
from bridge.models.payload.span import DevicePayload as DevicePayload
from bridge.models.payload.span import DispatchPayload as DispatchPayload
from bridge.models.payload.span import SpanPayload as SpanPayload
from bridge.models.payload.span import encoded_spans as encoded_spans

"""ampere.cloud as the bridge sees it: one Apollo gateway of a plausible shape, as the true one is not published."""

from bridge.simulator.ampere.faults import AmpereFault as AmpereFault
from bridge.simulator.ampere.faults import AmpereFaults as AmpereFaults
from bridge.simulator.ampere.gateway import PATH as PATH
from bridge.simulator.ampere.gateway import Ampere as Ampere
from bridge.simulator.ampere.gateway import Asked as Asked
from bridge.simulator.ampere.plant import DEFAULT_COMPANIES as DEFAULT_COMPANIES
from bridge.simulator.ampere.plant import Company as Company
from bridge.simulator.ampere.plant import Device as Device
from bridge.simulator.ampere.plant import Facility as Facility
from bridge.simulator.ampere.plant import park as park
from bridge.simulator.ampere.schema import AGEING as AGEING
from bridge.simulator.ampere.schema import RENAMED as RENAMED
from bridge.simulator.ampere.schema import SDL as SDL

"""Octopus Energy as the bridge sees it: Kraken's GraphQL, the gateway's, REST, tokens that expire, and whatever can go wrong."""

from bridge.simulator.octopus.faults import OctopusFault as OctopusFault
from bridge.simulator.octopus.faults import OctopusFaults as OctopusFaults
from bridge.simulator.octopus.homes import DEFAULT_DEVICES as DEFAULT_DEVICES
from bridge.simulator.octopus.homes import DEFAULT_PROPERTIES as DEFAULT_PROPERTIES
from bridge.simulator.octopus.homes import Account as Account
from bridge.simulator.octopus.platform import Asked as Asked
from bridge.simulator.octopus.platform import Written as Written
from bridge.simulator.octopus.service import BACKEND_PATH as BACKEND_PATH
from bridge.simulator.octopus.service import GRAPHQL_PATH as GRAPHQL_PATH
from bridge.simulator.octopus.service import REST_PATH as REST_PATH
from bridge.simulator.octopus.service import Octopus as Octopus
from bridge.simulator.octopus.tokens import SignIn as SignIn

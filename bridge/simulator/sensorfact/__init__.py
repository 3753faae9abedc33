"""Sensorfact as its public page describes it, served locally. Paths, fields and units are made up, as that page names none."""

from bridge.simulator.sensorfact.faults import SensorfactFault
from bridge.simulator.sensorfact.points import POINTS, Point
from bridge.simulator.sensorfact.service import KEY, Asked, Paging, Sensorfact

__all__ = ["KEY", "POINTS", "Asked", "Paging", "Point", "Sensorfact", "SensorfactFault"]

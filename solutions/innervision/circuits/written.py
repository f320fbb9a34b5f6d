"""Circuits written by hand, as data: which units read which, from where, and how strongly.

Lengths are in pixels, rows count downwards, and angles are in degrees, counted anticlockwise from the right, as on
paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LINES = 8
"""Line detectors that every circuit starts from, evenly spread over 180 degrees."""

CURVES = 8
"""Curve detectors of a family, evenly spread over 360 degrees."""

RADIUS = 5.0
"""Of the curves and of the circle, in pixels."""

BEND = 45.0
"""How far, in degrees, the outer lines of a curve stand from its middle."""


@dataclass(frozen=True)
class Read:
    """One reading of a unit: another unit at a place beside its own.

    Attributes:
        unit: Name of the unit that is read.
        row: How far below, in pixels.
        column: How far to the right, in pixels.
        weight: Above 0 excites, below 0 inhibits.
    """

    unit: str
    row: float = 0.0
    column: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True)
class Unit:
    """A unit of a written circuit.

    Attributes:
        name: How others call it.
        layer: 1 for lines, which read pixels; 2 for what reads lines; 3 for what reads layer 2.
        reads: What it reads; nothing for a line.
        angle: Of a line the direction along which it lies, in [0, 180). Of a curve the direction from the centre of its
            circle to its middle, in [0, 360). Otherwise None.
        means: Units for the pictures of which it is meant, each picture by itself. Nothing: for the picture of all that
            it reads together.
    """

    name: str
    layer: int
    reads: tuple[Read, ...] = ()
    angle: float | None = None
    means: tuple[str, ...] = ()


def line_family(turn: float = 0.0) -> list[Unit]:
    """The line detectors ``line0``, ``line1``, …, the first of which lies at the angle ``turn``."""
    return [Unit(f"line{index}", 1, angle=(turn + 180 / LINES * index) % 180) for index in range(LINES)]


def _line(angle: float, turn: float) -> str:
    return f"line{round((angle - turn) * LINES / 180) % LINES}"


def _at(angle: float, radius: float) -> tuple[float, float]:
    radians = math.radians(angle)
    return -radius * math.sin(radians), radius * math.cos(radians)


def curve_family(turn: float = 0.0) -> list[Unit]:
    """The curve detectors ``curve0``, ``curve1``, …: each reads three lines that lie along its arc."""
    family = []
    for index in range(CURVES):
        angle = (turn + 360 / CURVES * index) % 360
        middle, reads = _at(angle, RADIUS), []
        for around in (angle - BEND, angle, angle + BEND):
            row, column = _at(around, RADIUS)
            reads.append(Read(_line(around + 90, turn), row - middle[0], column - middle[1]))
        family.append(Unit(f"curve{index}", 2, tuple(reads), angle))
    return family


def circle(turn: float = 0.0) -> list[Unit]:
    """Line → curve → circle: a circle is all curves of the family, each in its place around the middle."""
    curves = curve_family(turn)
    reads = tuple(Read(curve.name, *_at(curve.angle or 0.0, RADIUS)) for curve in curves)
    return [*line_family(turn), *curves, Unit("circle", 3, reads)]


def car(turn: float = 0.0) -> list[Unit]:
    """A window above two wheels. A window is four lines in a square, a wheel is four lines in a diamond."""
    window = tuple(Read(_line(turn + angle + 90, turn), *_at(turn + angle, 3.0)) for angle in (0, 90, 180, 270))
    wheel = tuple(Read(_line(turn + angle + 90, turn), *_at(turn + angle, 2.0)) for angle in (45, 135, 225, 315))
    reads = (Read("window", -4.0, 0.0), Read("wheel", 4.0, -4.0), Read("wheel", 4.0, 4.0))
    return [*line_family(turn), Unit("window", 2, window), Unit("wheel", 2, wheel), Unit("car", 3, reads)]


def head() -> list[Unit]:
    """A head that looks left or right: two mirror images of one another, and a unit that takes either."""
    profile = ((0.0, 0.0, 3.0, 90.0), (-2.0, 0.0, -2.0, 45.0), (2.0, 0.0, -2.0, 0.0))
    left = tuple(Read(_line(angle, 0.0), row, column) for row, _, column, angle in profile)
    right = tuple(Read(_line(180 - angle, 0.0), row, -column) for row, _, column, angle in profile)
    units = [Unit("left_head", 2, left), Unit("right_head", 2, right)]
    return [*line_family(), *units, _either()]


def _either() -> Unit:
    both = ("left_head", "right_head")
    return Unit("head", 3, tuple(Read(name) for name in both), means=both)


def polysemantic() -> list[Unit]:
    """A unit that means two unrelated things, a car and a head that looks left; and beside it a unit for cars.

    Its reading of the head is as strong as its three readings of the car's parts together.
    """
    cars, heads = car(), head()
    reads = (*cars[-1].reads, Read("left_head", weight=3.0))
    return [*cars, *heads[LINES:-1], Unit("car_or_head", 3, reads, means=("car", "left_head"))]

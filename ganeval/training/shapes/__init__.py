"""Shapes: an endless world of small pictures with known factors, drawn and not stored, bit for bit the same on every machine."""

from __future__ import annotations

from ganeval.training.shapes.drawing import Drawn, drawn
from ganeval.training.shapes.factors import ATTRIBUTES, SHAPES, Factors, factors

__all__ = ["ATTRIBUTES", "SHAPES", "Drawn", "Factors", "drawn", "factors"]

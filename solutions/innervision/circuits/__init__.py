"""Circuits: what a unit is tuned to, what its weights say, and what changes when they are changed."""

from innervision.circuits.composition import Connections, effective_kernel, expanded_weights, top_connections

__all__ = [
    "Connections",
    "effective_kernel",
    "expanded_weights",
    "top_connections",
]

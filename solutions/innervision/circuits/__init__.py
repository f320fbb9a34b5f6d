"""Circuits: what a unit is tuned to, what its weights say, and what changes when they are changed."""

from innervision.circuits.ablation import ablate, direct_effect, total_effect
from innervision.circuits.composition import Connections, effective_kernel, expanded_weights, top_connections
from innervision.circuits.drawings import draw
from innervision.circuits.edges import edge_attribution, edge_patching
from innervision.circuits.families import equivariance_score, rotate_family, shuffled_scores
from innervision.circuits.planted import Answer, Planted, plant
from innervision.circuits.subnetworks import (
    Circuit,
    behaviour_of,
    branch_specialization,
    completeness,
    edges_of,
    faithfulness,
    keep_only,
    minimal_circuit,
)

__all__ = [
    "Answer",
    "Circuit",
    "Connections",
    "Planted",
    "ablate",
    "behaviour_of",
    "branch_specialization",
    "completeness",
    "direct_effect",
    "draw",
    "edge_attribution",
    "edge_patching",
    "edges_of",
    "effective_kernel",
    "equivariance_score",
    "expanded_weights",
    "faithfulness",
    "keep_only",
    "minimal_circuit",
    "plant",
    "rotate_family",
    "shuffled_scores",
    "top_connections",
    "total_effect",
]

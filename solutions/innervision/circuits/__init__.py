"""Circuits: what a unit is tuned to, what its weights say, and what changes when they are changed."""

from innervision.circuits.ablation import ablate, direct_effect, total_effect
from innervision.circuits.circular import echo_ratio, orientation_selectivity, preferred_orientation, tuning_width
from innervision.circuits.composition import Connections, effective_kernel, expanded_weights, top_connections
from innervision.circuits.drawings import draw
from innervision.circuits.edges import edge_attribution, edge_patching
from innervision.circuits.factors import WeightFactors, factorize_weights
from innervision.circuits.families import equivariance_score, rotate_family, shuffled_scores
from innervision.circuits.family_search import find_family, shuffle_responses, tuned_channels
from innervision.circuits.hand_built import hand_built_curve_detector
from innervision.circuits.planted import Answer, Planted, plant
from innervision.circuits.replaced import replace_others, replaced_faithfulness
from innervision.circuits.splicing import splice
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
from innervision.circuits.tuning import joint_tuning, tuning_curve

__all__ = [
    "Answer",
    "Circuit",
    "Connections",
    "Planted",
    "WeightFactors",
    "ablate",
    "behaviour_of",
    "branch_specialization",
    "completeness",
    "direct_effect",
    "draw",
    "echo_ratio",
    "edge_attribution",
    "edge_patching",
    "edges_of",
    "effective_kernel",
    "equivariance_score",
    "expanded_weights",
    "factorize_weights",
    "faithfulness",
    "find_family",
    "hand_built_curve_detector",
    "joint_tuning",
    "keep_only",
    "minimal_circuit",
    "orientation_selectivity",
    "plant",
    "preferred_orientation",
    "replace_others",
    "replaced_faithfulness",
    "rotate_family",
    "shuffle_responses",
    "shuffled_scores",
    "splice",
    "top_connections",
    "total_effect",
    "tuned_channels",
    "tuning_curve",
    "tuning_width",
]

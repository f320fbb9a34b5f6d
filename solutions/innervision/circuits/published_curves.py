"""The curve detectors of InceptionV1, as their discoverers published them: facts to compare one's own numbers with.

Channel numbers are those of the original network, ``load("inceptionv1")``. Torchvision's GoogLeNet has others.
"""

from __future__ import annotations

from dataclasses import dataclass

CURVES_MIXED3B = {
    342: 22.5,
    388: 66.5,
    324: 91.5,
    340: 110.0,
    330: 145.0,
    349: 181.0,
    379: 243.0,
    406: 268.5,
    385: 290.0,
    343: 358.0,
}
"""Channel of ``mixed3b`` → preferred orientation in degrees, in the convention of the article, whose zero and sense of
turning are its own: only differences can be compared with others.

Source: Cammarata et al., "Curve circuits", Distill 2021, the data behind its figures.
"""

CURVES_MIXED3A = (81, 104, 92, 145, 95, 163, 171, 71, 147, 189, 137)
"""Channels of ``mixed3a`` that respond to curves. All lie in its 3×3 branch.

Source: Olah et al., "An overview of early vision in InceptionV1", Distill 2020.
"""

CURVES_CONV2D2 = (182, 117, 171, 111, 63, 130, 146, 180, 39, 140, 32, 80)
"""Channels of ``conv2d2`` that respond to tiny curves.

Source: as ``CURVES_MIXED3A``.
"""


@dataclass(frozen=True)
class Tuning:
    """What the published tuning curves of a layer's curve detectors amount to, by ``tuning_width`` and ``echo_ratio``.

    Attributes:
        width: Median full width at half maximum, in degrees.
        echo: Mean of the largest response within 20 degrees of the opposite orientation, over the largest of all.
    """

    width: float
    echo: float


PUBLISHED_TUNING = {"conv2d2": Tuning(41.5, 0.44), "mixed3a": Tuning(50.0, 0.243), "mixed3b": Tuning(49.5, 0.009)}
"""Layer → its curve detectors' tuning: our figures from the published curves of 11, 11 and 10 channels, measured at
every half degree. The article says in words that echoes vanish by ``mixed3b``.

Source: Cammarata et al., "Curve detectors", Distill 2020, the data behind its radial tuning curves.
"""

EDITED_ECHOES = {"early curves only": 0.010, "positive weights only": 0.261}
"""Mean echo of the ten channels of ``mixed3b`` when they read nothing but the early curves of ``mixed3a``; and when of
those weights only the positive ones are left. Our figures, by ``echo_ratio``, from the published curves.

Source: Cammarata et al., "Curve circuits", Distill 2021, the data behind its figures on inhibition.
"""

CURVE_RELATED = {
    "curves": 10,
    "miscellaneous curves": 4,
    "shallow curves": 4,
    "curved shapes": 4,
    "circles and loops": 4,
    "double curves": 3,
    "evolute": 1,
}
"""Kind → how many channels of ``mixed3b``. All of them lie in its 5×5 branch, channels 320 to 415 of 480.

Source: Olah et al., "An overview of early vision in InceptionV1", Distill 2020, the lists behind its figures; Voss et
al., "Branch specialization", Distill 2021 (that all lie in one branch).
"""

TOP_FIVE_CORRECT = {"whole": 0.886, "without curve detectors": 0.863, "with hand-built ones": 0.876}
"""Share of 2,000 photographs whose class is among the network's five highest: with the curve detectors of ``mixed3b``
as learned, without them, and with hand-built ones in their place. The authors call the experiment preliminary.

Source: Cammarata et al., "Curve circuits", Distill 2021, "Artificial artificial neurons".
"""

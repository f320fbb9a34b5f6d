"""What all figures share: colours, dashes, the size of a dot."""

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#F0E442")
"""Eight colours for eight things, most different first. Source: Okabe, Ito, "Color Universal Design", 2008."""

EXCITES, INHIBITS = "#542788", "#B35806"
"""Violet and orange, as numbers above and below 0 have on pictures of weights (colour scale PuOr)."""

DASHES = ("-", "--", "-.", ":")
DOTS_PER_INCH = 100

"""Colours that the colour-blind tell apart (seaborn's "colorblind" palette), and one for each phase."""

from flnft_sim.results.phase import Phase

BLUE, ORANGE, GREEN, RED, PURPLE = "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"
BROWN, PINK, GREY, YELLOW, SKY = "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"
INK = "#404040"  # small print
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY)

#: One colour a phase, in every picture. Phases that meet in a stack differ in lightness too, by 1.5 to 1 or more.
PHASE_COLOURS: dict[str, str] = {
    Phase.DECISION: YELLOW,
    Phase.RANKING: "#b54e00",
    Phase.TRAINING: "#3f95cf",
    Phase.MASKING: "#a6d8f0",
    Phase.UPLOAD: "#f2b75c",
    Phase.CONSENSUS: "#007a59",
    Phase.AGGREGATION: "#4d4d4d",
    Phase.MEASURING: "#8c564b",
    Phase.WAITING: "#d9d9d9",
    Phase.MINTING: PURPLE,
    Phase.VOTING: SKY,
    Phase.BIDDING: PINK,
    Phase.CLEARING: GREY,
    Phase.SETTLEMENT: BROWN,
    Phase.ACCESS: "#7fd1b9",
}


def series_colour(index: int) -> str:
    """The colour of the n-th line of a picture."""
    return PALETTE[index % len(PALETTE)]

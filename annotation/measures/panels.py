"""How much votes differ in published panels, to plan a campaign without a pilot.

The deviations were computed from the published votes or histograms with `annotation.measures.agreement`.
"""

from dataclasses import dataclass, replace
from math import sqrt

from annotation.measures.agreement.crossed import VarianceComponents
from annotation.measures.vote_variance import VoteVariance


@dataclass(frozen=True)
class Panel:
    """Standard deviations of the parts of a vote, in points of the scale lowest … highest."""

    name: str
    source: str
    lowest: int
    highest: int
    photos: float
    """Of the photos' mean opinions."""
    annotators: float
    """Of being severe or lenient; 0 where it cannot be told from `rest`, because single votes are not published."""
    rest: float
    degrees: float
    """ν of `annotation.measures.vote_variance`: how alike photos are in the variance of their votes."""

    @property
    def votes(self) -> float:
        """Return the standard deviation of the votes on one photo."""
        return sqrt(self.annotators**2 + self.rest**2)

    @property
    def reliability(self) -> float:
        """Return the reliability of one vote of a random person, ICC(1)."""
        return self.photos**2 / (self.photos**2 + self.votes**2)

    def on_scale(self, lowest: int, highest: int) -> "Panel":
        """Return the panel on another scale; deviations grow with the points from end to end."""
        factor = (highest - lowest) / (self.highest - self.lowest)
        return replace(
            self,
            lowest=lowest,
            highest=highest,
            photos=factor * self.photos,
            annotators=factor * self.annotators,
            rest=factor * self.rest,
        )


def panel_of(
    name: str, source: str, scale: tuple[int, int], variances: VarianceComponents, spread: VoteVariance
) -> Panel:
    """Return the panel with these variances; negative estimates count as 0."""
    photos, annotators, rest = (sqrt(max(one, 0.0)) for one in (variances.photos, variances.annotators, variances.rest))
    return Panel(name, source, scale[0], scale[1], photos, annotators, rest, max(spread.degrees, 1.0))


PUBLISHED = {
    "ava": Panel(
        "AVA",
        "Murray, Marchesotti & Perronnin (2012): 38,327 photos with about 210 votes each, 1-10",
        1,
        10,
        photos=0.740,
        annotators=0.0,
        rest=1.466,
        degrees=33,
    ),
    "koniq": Panel(
        "KonIQ-10k",
        "Hosu, Lin, Sziranyi & Saupe (2020): 10,073 photos with about 107 votes each, 1-5",
        1,
        5,
        photos=0.549,
        annotators=0.0,
        rest=0.578,
        degrees=60,
    ),
    "oasis": Panel(
        "OASIS, beauty",
        "Kurdi, Lozano & Banaji (2017) and Brielmann & Pelli (2019): 474 photos, 88,237 votes of 757 people, 1-7",
        1,
        7,
        photos=1.011,
        annotators=0.714,
        rest=1.308,
        degrees=41,
    ),
    "spaq": Panel(
        "SPAQ",
        "Fang, Zhu, Zeng, Ma & Wang (2020): MOS of 1,125 photos, 0-10. Single votes are not published; the noise "
        "assumes SOS² = 0.2·(x − 0)(10 − x) (Hoßfeld, Schatz & Egger, 2011)",
        0,
        10,
        photos=2.195,
        annotators=0.0,
        rest=2.007,
        degrees=33,
    ),
}

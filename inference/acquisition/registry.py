"""All queue strategies by name."""

from inference.acquisition.anchors import AnchorsFirst
from inference.acquisition.disagreement import Disagreement
from inference.acquisition.diverse_batch import DiverseBatch
from inference.acquisition.fewest_votes import FewestVotesFirst
from inference.acquisition.holdout import HoldoutFirst
from inference.acquisition.information_gain import InformationGain
from inference.acquisition.relabel_or_new import RelabelOrNew
from inference.acquisition.strategy import Strategy
from inference.acquisition.typical_first import TypicalFirst
from inference.acquisition.uniform_random import UniformRandom
from inference.acquisition.watch_bald import WatchBald
from inference.acquisition.watch_entropy import WatchEntropy
from inference.acquisition.watch_margin import WatchMargin

_ALL: tuple[Strategy, ...] = (
    UniformRandom(),
    FewestVotesFirst(),
    WatchMargin(),
    InformationGain(),
    HoldoutFirst(),
    AnchorsFirst(),
    TypicalFirst(),
    WatchEntropy(),
    WatchBald(),
    RelabelOrNew(),
    DiverseBatch(),
    Disagreement(),
)
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _ALL}

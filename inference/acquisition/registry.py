"""All queue strategies by name."""

from inference.acquisition.fewest_votes import FewestVotesFirst
from inference.acquisition.strategy import Strategy
from inference.acquisition.uniform_random import UniformRandom

_ALL: tuple[Strategy, ...] = (
    UniformRandom(),
    FewestVotesFirst(),
)
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _ALL}

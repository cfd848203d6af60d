"""Queue strategies: they decide which photo is shown next. Pure: arrays in, arrays out.

To add a strategy, write a class in its own file (see `inference.acquisition.strategy`) and add it to
`inference.acquisition.registry`. Campaigns can then give it a share of their queue.
"""

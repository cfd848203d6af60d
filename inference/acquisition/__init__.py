"""Queue strategies: which photo to ask about next. Pure: arrays in, arrays out.

To add one: write a class in a file of its own (`inference.acquisition.strategy` says what it has) and name it in
`inference.acquisition.registry`. Campaigns can then give it a share of their queue.
"""

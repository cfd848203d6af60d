"""The benchmarks of the README. Each one measures a ratio to a baseline, which runs at the same time."""

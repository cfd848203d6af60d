"""Simulated campaigns: what a rule for the next photo would have brought, replayed on photos whose answers are known.

Pure. `folder` reads photos and votes, `votes` hands the votes out one by one, `mixture` says which queue strategies
choose, `learners` are trained in between, `replay` runs one campaign, `experiment` runs many in parallel processes,
`curves` adds them up, and `report` writes the page. `raters` fits simulated annotators to a real panel.
"""

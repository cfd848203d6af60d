"""Pure: what a model may decide about photos on its own, with a stated error."""

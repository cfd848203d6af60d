"""How well single annotators rate: attention, agreement with themselves and with others. Pure numpy."""

"""Labels and scores of all photos, with who said so, as JSON Lines. Pure."""

from annotation.exchange.format import JsonLinesFormat
from annotation.exchange.records import DecisionRecord
from annotation.language import gettext_noop


class DecisionsJsonLines(JsonLinesFormat[DecisionRecord]):
    """One object per photo."""

    name = "decisions-jsonl"
    label = gettext_noop("Labels and who said so (JSON Lines)")
    description = gettext_noop(
        "One object per photo with its class, score and watch label, and whether people or the model said so."
    )
    record = DecisionRecord

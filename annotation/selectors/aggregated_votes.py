"""Imported votes that are known only summed up."""

from django.db.models import QuerySet

from annotation.models import AggregatedVotes, Image


def aggregated_votes_of(image: Image) -> QuerySet[AggregatedVotes]:
    """Return the aggregated votes on a photo with their imports, newest import first (one query)."""
    return image.aggregated_votes.select_related("vote_import").order_by("-vote_import")

"""Values that are written into a statement."""

import pytest

from annotation.models import Campaign
from annotation.selectors.known_values import Known


def test_numbers_and_words_stand_in_the_statement(campaign: Campaign) -> None:
    found = Campaign.objects.filter(pk=Known(campaign.pk), state__in=[Known("active"), Known("paused")])
    statement, parameters = found.query.sql_with_params()
    assert str(campaign.pk) in statement
    assert "IN ('active', 'paused')" in statement
    assert parameters == ()
    assert found.get() == campaign


@pytest.mark.parametrize("value", ["x'; --", "A", "", "a b", 1.5, None])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        Known(value)  # type: ignore[arg-type]  # what this test is about

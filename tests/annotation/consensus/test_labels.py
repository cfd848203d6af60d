"""One watch label from several votes."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.consensus.labels import NO_WATCH, UNDECIDED, WATCH, majority_label, majority_labels, watch_counts

VOTES = {"yes": WATCH, "no": NO_WATCH, "unsure": -1}


@pytest.mark.parametrize(
    ("yes", "no", "label"), [(2, 1, "yes"), (1, 2, "no"), (1, 1, ""), (0, 0, ""), (1, 0, "yes"), (0, 3, "no")]
)
def test_the_majority_gives_the_label_and_a_tie_gives_none(yes: int, no: int, label: str) -> None:
    assert majority_label(yes, no) == label


def test_labels_of_many_photos_at_once() -> None:
    found = majority_labels([2, 1, 1, 0], [1, 2, 1, 0])
    assert found.tolist() == [WATCH, NO_WATCH, UNDECIDED, UNDECIDED]
    assert found.dtype == np.int8
    assert majority_labels([], []).tolist() == []


def test_unsure_votes_count_for_neither_label() -> None:
    yes, no = watch_counts([0, 0, 0, 2, 2], [1, -1, -1, 0, 1], photos=4)
    assert (yes.tolist(), no.tolist()) == ([1, 0, 1, 0], [0, 0, 1, 0])
    assert majority_labels(yes, no).tolist() == [WATCH, UNDECIDED, UNDECIDED, UNDECIDED]


@given(st.lists(st.sampled_from(["yes", "no", "unsure"]), max_size=20))
def test_the_label_is_the_most_common_of_the_sure_votes(votes: list[str]) -> None:
    sure = Counter(vote for vote in votes if vote != "unsure").most_common()
    expected = "" if not sure or (len(sure) > 1 and sure[0][1] == sure[1][1]) else sure[0][0]
    yes, no = watch_counts([0] * len(votes), [VOTES[vote] for vote in votes], photos=1)
    assert majority_label(int(yes[0]), int(no[0])) == expected
    other = {"yes": "no", "no": "yes", "": ""}
    assert majority_label(int(no[0]), int(yes[0])) == other[expected]

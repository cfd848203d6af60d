"""Mixtures of strategies as text."""

import pytest

from training.simulation.mixture import MixtureWrong, mixture_read

KNOWN = {"random", "fewest_votes", "watch_margin", "typical_first"}


def test_a_mixture_has_a_label_phases_and_shares():
    mixture = mixture_read("ours=typical_first@20>watch_margin:3,random:1", KNOWN)

    assert mixture.label == "ours"
    assert mixture.shares_at(0) == {"typical_first": 1.0}
    assert mixture.shares_at(19) == {"typical_first": 1.0}
    assert mixture.shares_at(20) == {"watch_margin": 0.75, "random": 0.25}
    assert (mixture.end_of_phase(3), mixture.end_of_phase(20)) == (20, None)


def test_a_name_alone_is_a_mixture():
    assert mixture_read("random", KNOWN).label == "random"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("best", "no strategy 'best'"),
        ("random@20", "every phase but the last"),
        ("typical_first>random", "every phase but the last"),
        ("typical_first@0>random", "not a number of answers"),
        ("typical_first@20>random@10>fewest_votes", "must end after"),
        ("random:0", "share above 0"),
        ("random,random", "each strategy once"),
        ("random:x", "share above 0"),
        ("", "no strategy ''"),
    ],
)
def test_what_is_wrong_is_said(text: str, reason: str):
    with pytest.raises(MixtureWrong, match=reason):
        mixture_read(text, KNOWN)

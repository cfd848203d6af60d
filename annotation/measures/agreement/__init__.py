"""Agreement between annotators, and the highest correlation that a model can reach with their votes."""

from annotation.measures.agreement.ceiling import Ceiling, Form, correlation_ceiling, reliability, vote_ceiling
from annotation.measures.agreement.halves import split_half
from annotation.measures.agreement.mos_noise import mos_noise
from annotation.measures.agreement.one_way import icc1, icc1_of_histograms
from annotation.measures.agreement.worth import Worth, annotators_worth

__all__ = [
    "Ceiling",
    "Form",
    "Worth",
    "annotators_worth",
    "correlation_ceiling",
    "icc1",
    "icc1_of_histograms",
    "mos_noise",
    "reliability",
    "split_half",
    "vote_ceiling",
]

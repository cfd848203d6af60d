"""The methods report in words: nothing is left out, unknown figures say so, and the fingerprint follows the votes."""

import dataclasses
import hashlib
import struct
from datetime import UTC, datetime

import numpy as np
import pytest

from annotation.exchange.methods_report import MethodsFigures, head, markdown, sections, votes_fingerprint
from annotation.measures.agreement.ceiling import Ceiling, Form
from annotation.measures.agreement.report import ScoreAgreement
from annotation.measures.intervals import Interval
from annotation.measures.votes import VoteTable

NAN = float("nan")
FIGURES = MethodsFigures(
    campaign="Watches *new*",
    instructions="Rate the photo.\n\n# not a heading",
    lowest=1,
    highest=10,
    mode="blind: the prediction is never shown",
    made_at=datetime(2026, 11, 27, 8, 30, tzinfo=UTC),
    first_at=datetime(2026, 11, 2, tzinfo=UTC),
    last_at=datetime(2026, 11, 20, tzinfo=UTC),
    people=12,
    simulated_people=2,
    simulated_votes=100,
    votes_a_person=(80.0, 3, 150),
    practice_photos=5,
    photos=400,
    rated_photos=390,
    votes_a_photo=(3.0, 1, 5),
    holdout_share=0.2,
    lane_shares=(("Uniform random", 0.75), ("Disagreement", 0.25)),
    repeat_share=0.05,
    gold_share=0.0,
    anchoring_share=0.0,
    answers=1300,
    withdrawn=0,
    corrected=20,
    skipped=30,
    repeats=50,
    exposed=200,
    counted=1000,
    screened_people=0,
    screened_votes=0,
    weighted_people=0,
    weighted_votes=0,
    weights=(1.0, 1.0),
    moved_by_weights=None,
    moved_by_weights_most=None,
    viewing_votes=1000,
    viewing_share=0.9,
    viewport=(1280, 720),
    shown=(800, 600),
    pixel_ratios="1 (80 %), 2 (20 %)",
    schemes="dark (100 %)",
    inputs="key (100 %)",
    zoomed_share=0.1,
    seconds=2.34,
    mean_width=2.5,
    single_votes=40,
    variance=2.25,
    degrees=11.0,
    sos_a=0.123,
    agreement=ScoreAgreement(
        350,
        Interval(0.3, 0.25, 0.36, 350),
        Ceiling(Form.CONSISTENCY, Interval(0.31, 0.2, 0.42, 390), Interval(0.75, 0.7, 0.8, 390)),
    ),
    corrected_at=datetime(2026, 11, 21, 9, 5, tzinfo=UTC),
    corrected_votes=990,
    bias_spread=0.62,
    corrected_error=0.41,
    watch_pairs=0.9,
    fingerprint="ab" * 32,
)
UNKNOWN = Interval(NAN, NAN, NAN, 3)
EMPTY = dataclasses.replace(
    FIGURES,
    instructions=" ",
    first_at=None,
    last_at=None,
    people=0,
    simulated_people=0,
    lane_shares=(),
    practice_photos=0,
    viewing_share=0.0,
    viewport=None,
    shown=None,
    seconds=None,
    mean_width=NAN,
    variance=NAN,
    degrees=NAN,
    sos_a=NAN,
    agreement=ScoreAgreement(3, UNKNOWN, Ceiling(Form.ONE_WAY, UNKNOWN, UNKNOWN)),
    corrected_at=None,
    watch_pairs=NAN,
)


def rows(figures: MethodsFigures) -> dict[str, str]:
    return {name: value for section in sections(figures) for name, value in section.rows}


def test_the_report_states_people_votes_and_precision():
    found = rows(FIGURES)
    assert found["Opinion score"] == "whole numbers from 1 (lowest) to 10 (highest)"
    assert (
        found["Annotators with counted votes"]
        == "12, of which 2 simulated (programs, not people; 10 % of the counted votes)"
    )
    assert found["How the photos were chosen"] == "Uniform random 75 %; Disagreement 25 %"
    assert found["Given after seeing a prediction"] == "200, not counted"
    assert found["Counted votes"] == "1,000"
    assert found["s₀ and ν"] == "1.50 points, 11.0 degrees of freedom"
    assert found["Mean width of the intervals"] == "2.50 points, n = 390 photos, 40 of them with one vote"
    alpha = "Krippendorff's alpha (interval level) 0.30 (95 % interval 0.25 to 0.36)"
    assert found["Agreement about the score"] == f"{alpha}, n = 350 photos with two votes or more"
    assert (
        found["Reliability of one vote"]
        == "ICC(C,1) 0.31 (95 % interval 0.20 to 0.42), because the same people rated all photos"
    )
    assert found["Highest correlation with the MOS that a model can expect"].startswith("0.75 (95 % interval 0.70 to")
    assert (
        "fitted on 2026-11-21 09:05 UTC to 990 votes; standard deviation of the biases 0.62" in found["Corrected MOS"]
    )
    assert dict(head(FIGURES))["Votes from"] == "2026-11-02 to 2026-11-20"


def test_screening_is_stated_with_its_effect():
    assert rows(FIGURES)["Screening"] == "none: every annotator's votes count"
    part = dataclasses.replace(FIGURES, weighted_people=3, weighted_votes=40, weights=(0.25, 0.5))
    assert rows(part)["Screening"].startswith("the 40 votes of 3 annotators count 25 % to 50 % each by a reviewer's")
    moved = dataclasses.replace(part, moved_by_weights=0.124, moved_by_weights_most=0.5, screened_people=1)
    assert rows(moved)["Screening"].startswith("1 annotators are excluded")
    assert rows(moved)["Screening"].endswith("moves the corrected MOS by 0.12 points on average and 0.50 at most")
    screened = dataclasses.replace(FIGURES, screened_people=2, screened_votes=77)
    assert rows(screened)["Screening"] == "2 annotators are excluded by a reviewer's decision, with 77 votes"


def test_a_report_without_votes_says_unknown_and_never_nan():
    text = markdown(EMPTY)
    assert "nan" not in text.lower()
    assert "no counted votes yet" in text
    assert "The campaign has no instructions." in text
    assert rows(EMPTY)["Corrected MOS"] == "not estimated yet"
    assert rows(EMPTY)["Agreement about the score"] == "unknown: 3 photos have two votes or more, and 20 are needed"
    assert "Reliability of one vote" not in rows(EMPTY)
    assert rows(EMPTY)["SOS parameter a (Hoßfeld et al., 2011)"] == "unknown"
    assert "Size of the page, median" not in rows(EMPTY)


def test_markdown_has_every_row_and_quotes_the_instructions_word_for_word():
    text = markdown(FIGURES)
    assert text.startswith("# Methods report: Watches \\*new\\*\n")
    assert "> Rate the photo.\n>\n> # not a heading\n" in text
    assert [line for line in text.splitlines() if line.startswith("#")][1:] == [
        f"## {section.title}" for section in sections(FIGURES)
    ]
    assert text.count("\n* ") == len(head(FIGURES)) + sum(len(section.rows) for section in sections(FIGURES))


def table(*rows: tuple[int, int, int, int, int]) -> VoteTable:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 5).T
    return VoteTable(*columns[:3], columns[3].astype(np.int16), columns[4].astype(np.int8))


def test_the_fingerprint_is_that_of_the_numbers_by_answer_id():
    numbers = struct.pack("<10q", 4, 1, 2, 7, 1, 5, 1, 3, 6, -1)
    assert votes_fingerprint(table((4, 1, 2, 7, 1), (5, 1, 3, 6, -1))) == hashlib.sha256(numbers).hexdigest()
    assert votes_fingerprint(table((5, 1, 3, 6, -1), (4, 1, 2, 7, 1))) == hashlib.sha256(numbers).hexdigest()
    assert votes_fingerprint(table()) == hashlib.sha256().hexdigest()


def test_a_part_of_many_votes_is_stated():
    assert rows(FIGURES)["Recorded for"] == "90 % of 1,000 counted votes"
    many = dataclasses.replace(FIGURES, counted=50_000, viewing_votes=16_667)
    assert rows(many)["Recorded for"] == "90 % of 16,667 counted votes (an even part of all 50,000)"


@pytest.mark.parametrize(
    "changed", [(9, 1, 2, 7, 1), (4, 9, 2, 7, 1), (4, 1, 9, 7, 1), (4, 1, 2, 9, 1), (4, 1, 2, 7, 0)]
)
def test_each_part_of_a_vote_changes_the_fingerprint(changed):
    assert votes_fingerprint(table(changed)) != votes_fingerprint(table((4, 1, 2, 7, 1)))

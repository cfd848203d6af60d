"""Conditions on answers: Django and SQL select the same rows, for every kind of answer."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from annotation import answers
from annotation.models import Annotation, Campaign, Image
from tests.kinds_of_answers import KindsOfAnswers, kinds_make


@pytest.fixture
def kinds(campaign: Campaign, people: dict[str, Any], make_user: Callable[..., Any]) -> KindsOfAnswers:
    return kinds_make(campaign, people, make_user)


def labels_of(kinds: KindsOfAnswers, rows: Any) -> set[str]:
    return {kinds.label_of[pk] for pk in rows.values_list("pk", flat=True)}


def test_each_condition_selects_its_rows(kinds: KindsOfAnswers) -> None:
    all_answers = Annotation.objects.all()
    assert labels_of(kinds, all_answers.votes()) == kinds.votes
    assert labels_of(kinds, all_answers.skips()) == kinds.skips
    assert labels_of(kinds, all_answers.standing()) == kinds.votes | kinds.skips
    assert labels_of(kinds, all_answers.independent_votes()) == kinds.independent
    assert labels_of(kinds, all_answers.votes_for_evaluation()) == kinds.independent - kinds.taught
    assert labels_of(kinds, all_answers.repeat_answers()) == {"repeat, corrected"}
    later = {label for label in kinds.votes if label.endswith("corrected") or label.startswith("fourth")}
    assert labels_of(kinds, all_answers.first_answers()) == kinds.votes - later | {
        "first, then corrected",
        "first, then revealed",
        "slip",
        "blind, then withdrawn",
        "first of three",
    }
    marked = all_answers.with_independence().filter(is_independent_vote=True)
    assert labels_of(kinds, marked) == kinds.independent


@pytest.mark.parametrize(
    ("sql", "condition"),
    [
        (answers.standing_sql, answers.STANDING),
        (answers.vote_sql, answers.VOTE),
        (answers.counted_vote_sql, answers.counted_vote()),
        (answers.blind_vote_sql, answers.BLIND_VOTE),
        (answers.independent_vote_sql, answers.independent_vote()),
    ],
)
def test_the_sql_selects_the_same_rows_as_the_condition(
    kinds: KindsOfAnswers, sql: Callable[[str], str], condition: Any
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT answer.id FROM annotation_annotation answer WHERE {sql('answer')}")
        found = {row[0] for row in cursor.fetchall()}
    assert found == set(Annotation.objects.filter(condition).values_list("pk", flat=True))


def test_last_sql_selects_rows_that_no_correction_supersedes(kinds: KindsOfAnswers) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT answer.id FROM annotation_annotation answer WHERE {answers.last_sql('answer')}")
        found = {row[0] for row in cursor.fetchall()}
    assert found == set(Annotation.objects.filter(superseded_by=None).values_list("pk", flat=True))


def test_the_taught_roles_are_practice_and_example() -> None:
    assert set(answers.TAUGHT) == {Image.Role.PRACTICE, Image.Role.EXAMPLE}

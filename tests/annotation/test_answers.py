"""The conditions on answers: Django's and the SQL say the same, on every kind of answer there is."""

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


def test_each_condition_holds_the_rows_that_it_names(kinds: KindsOfAnswers) -> None:
    everything = Annotation.objects.all()
    assert labels_of(kinds, everything.votes()) == kinds.votes
    assert labels_of(kinds, everything.skips()) == kinds.skips
    assert labels_of(kinds, everything.standing()) == kinds.votes | kinds.skips
    assert labels_of(kinds, everything.independent_votes()) == kinds.votes - kinds.exposed
    assert labels_of(kinds, everything.votes_for_evaluation()) == kinds.votes - kinds.exposed - kinds.taught
    assert labels_of(kinds, everything.repeat_answers()) == {"repeat, corrected"}
    corrections = {label for label in kinds.votes if label.endswith("corrected")}
    assert labels_of(kinds, everything.first_answers()) == kinds.votes - corrections | {"first, then corrected"}


@pytest.mark.parametrize(
    ("sql", "condition"),
    [
        (answers.standing_sql, answers.STANDING),
        (answers.vote_sql, answers.VOTE),
        (answers.independent_vote_sql, answers.INDEPENDENT_VOTE),
    ],
)
def test_the_sql_says_what_the_condition_says(kinds: KindsOfAnswers, sql: Callable[[str], str], condition: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT one.id FROM annotation_annotation one WHERE {sql('one')}")
        found = {row[0] for row in cursor.fetchall()}
    assert found == set(Annotation.objects.filter(condition).values_list("pk", flat=True))


def test_the_last_rows_are_those_that_nobody_superseded(kinds: KindsOfAnswers) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT one.id FROM annotation_annotation one WHERE {answers.last_sql('one')}")
        found = {row[0] for row in cursor.fetchall()}
    assert found == set(Annotation.objects.filter(superseded_by=None).values_list("pk", flat=True))


def test_taught_are_the_roles_whose_answer_people_are_shown() -> None:
    assert set(answers.TAUGHT) == {Image.Role.PRACTICE, Image.Role.EXAMPLE}

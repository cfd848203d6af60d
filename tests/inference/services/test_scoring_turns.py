"""One user's photos do not keep the others waiting."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inference.services import scoring_jobs, scoring_turns
from inference.services.scoring_jobs import file_claim, scoring_job_create, scoring_job_find
from inference.services.scoring_turns import scoring_turns_run
from tests.conftest import photo_bytes

pytestmark = pytest.mark.django_db
Jobs = Callable[[str, int], str]


@pytest.fixture
def job(people: dict[str, Any]) -> Jobs:
    def make(name: str, photos: int) -> str:
        uploads = [SimpleUploadedFile(f"{name}-{number}.jpg", photo_bytes(number)) for number in range(photos)]
        return scoring_job_create(user=people[name], uploads=uploads)

    return make


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the photos in the order in which they are scored. The model is none: it fails each photo."""
    order: list[str] = []

    def score(folder: Any, names: list[str], queued: list[int], scorer: Any) -> int:
        for place in queued:
            order.append(names[place])
            scoring_jobs._result_write(folder, place, names[place], "not scored in this test")
        return len(queued)

    monkeypatch.setattr(scoring_jobs, "_score", score)
    return order


def run(**options: Any) -> int:
    return scoring_turns_run(**{"scorer": lambda model: None, "photos": 1, "over": lambda: False, **options})


def test_users_take_turns(job: Jobs, scored: list[str]) -> None:
    job("alice", 4)
    job("alice", 2)
    job("bob", 2)
    job("mallory", 1)
    assert run() == 9
    assert {name.partition("-")[0] for name in scored[:3]} == {"alice", "bob", "mallory"}
    assert {name.partition("-")[0] for name in scored[3:5]} == {"alice", "bob"}
    assert [name.partition("-")[0] for name in scored[5:]] == ["alice"] * 4


def test_a_user_who_comes_later_waits_for_one_turn_only(job: Jobs, scored: list[str]) -> None:
    job("alice", 20)
    turns = 0

    def over() -> bool:
        """Let bob's photo arrive after five turns."""
        nonlocal turns
        turns += 1
        if turns == 6:
            job("bob", 1)
        return False

    assert run(over=over) == 21
    assert scored.index("bob-0.jpg") == 5


def test_the_oldest_job_of_a_user_comes_first(job: Jobs, scored: list[str], people: dict[str, Any]) -> None:
    second, first = job("alice", 1), job("alice", 2)
    older = scoring_jobs._root() / str(people["alice"].pk) / first / "names.json"
    os.utime(older, (1, 1))
    run()
    assert scored == ["alice-0.jpg", "alice-1.jpg", "alice-0.jpg"]
    for key in (first, second):
        found = scoring_job_find(user=people["alice"], key=key)
        assert found is not None
        assert found.waiting == 0


def test_a_user_has_one_turn_at_a_time(job: Jobs, scored: list[str], people: dict[str, Any]) -> None:
    job("alice", 1)
    job("bob", 1)
    run()
    job("alice", 1)
    job("bob", 1)
    mine = scoring_turns._file(scoring_jobs._root() / str(people["alice"].pk))
    with file_claim(mine) as claimed:
        assert claimed
        assert run() == 1
    assert scored[2:] == ["bob-0.jpg"]
    assert run() == 1


def test_turns_end_when_asked(job: Jobs, scored: list[str]) -> None:
    job("alice", 3)
    assert run(over=lambda: bool(scored)) == 1
    assert run(over=lambda: True) == 0
    assert run() == 2

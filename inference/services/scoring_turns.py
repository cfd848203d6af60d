"""Whose scoring job is next, so that the photos of one user do not keep the others waiting.

A turn is a few photos of one user. The user whose last turn is longest ago gets the next one, and a user never has two
turns at a time. So with N users before you, you wait for N short turns, however many photos they have sent.

`UPLOADS_ROOT/scoring-turns/` has an empty file for each user: its time is that of the last turn, and a worker locks it
during a turn.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from inference.services.scoring_jobs import file_claim, scoring_job_run, scoring_jobs_queued
from inference.services.scoring_models import ScoringModel

if TYPE_CHECKING:
    from inference.serving.scorer import PhotoScorer


def scoring_turns_run(*, scorer: "Callable[[ScoringModel], PhotoScorer]", photos: int, over: Callable[[], bool]) -> int:
    """Give turns until no photo is queued that another worker does not score; return how many photos were scored.

    `photos`: of one turn. `over` is asked before each turn: whether to stop now.
    """
    done = 0
    while not over():
        scored = next((count for user in _users_in_turn() if (count := _turn(user, scorer, photos))), 0)
        if not scored:
            break
        done += scored
    return done


def _users_in_turn() -> list[Path]:
    """Return the folders of the users with queued jobs; the one whose last turn is longest ago comes first."""
    return sorted(scoring_jobs_queued(), key=_last_turn)


def _last_turn(user: Path) -> float:
    try:
        return _file(user).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _turn(user: Path, scorer: "Callable[[ScoringModel], PhotoScorer]", photos: int) -> int:
    """Score some photos of a user's oldest job; 0 when another worker has the user's turn."""
    file = _file(user)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file_claim(file) as claimed:
        if not claimed:
            return 0
        file.touch()
        for job in scoring_jobs_queued().get(user, []):
            if scored := scoring_job_run(user_id=int(user.name), key=job.name, scorer=scorer, most=photos):
                return scored
    return 0


def _file(user: Path) -> Path:
    return Path(settings.UPLOADS_ROOT) / "scoring-turns" / user.name

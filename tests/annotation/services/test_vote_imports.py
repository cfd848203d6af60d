"""Import of votes: all rows of a file or none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.utils import timezone

from annotation.exchange.registry import READERS
from annotation.models import (
    AggregatedVotes,
    Annotation,
    AuditKind,
    AuditRecord,
    Campaign,
    Image,
    Membership,
    User,
    VoteImport,
)
from annotation.selectors.votes import consensus_votes, vote_table
from annotation.services.annotations import annotation_record
from annotation.services.anonymisation import user_anonymise
from annotation.services.batches import folder_import
from annotation.services.claims import STALE
from annotation.services.consensus import consensus_refresh
from annotation.services.members import MemberError, user_active_set
from annotation.services.vote_imports import (
    VoteImportRefused,
    scores_mapped,
    upload_path,
    uploaded_votes_import,
    vote_import_begin,
    vote_import_claim,
    vote_import_run,
    vote_imports_claimable,
)
from tests.conftest import photo_bytes

HEADER = "annotator,file,score\n"


@pytest.fixture
def photos(make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in (1, 2, 3)]


@pytest.fixture
def votes_file(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a file with this text."""

    def write(text: str, name: str = "votes.csv") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def imported(
    campaign: Campaign, path: Path, *, reader: str = "votes-csv", report: Any = None, **how: Any
) -> VoteImport:
    begun = vote_import_begin(
        campaign=campaign, reader=READERS[reader], source=path.name, state=VoteImport.State.RUNNING, **how
    )
    return vote_import_run(vote_import=begun, path=path, report=report)


def test_votes_become_blind_answers_of_people_who_cannot_log_in(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    path = votes_file("annotator,file,score,watch\nx 1,photo-1.jpg,7,yes\nx 1,photo-2.jpg,3,\nx/2,photo-1.jpg,9,no\n")
    done = imported(campaign, path)
    assert (done.state, done.rows, done.photos, done.annotators, done.left_out) == ("done", 3, 2, 2, 0)
    rows = list(Annotation.objects.order_by("pk").values_list("image__name", "annotator__username", "score", "watch"))
    assert rows == [
        ("photo-1.jpg", "watches.x-1", 7, "yes"),
        ("photo-2.jpg", "watches.x-1", 3, ""),
        ("photo-1.jpg", "watches.x-2", 9, "no"),
    ]
    votes = consensus_votes(campaign)
    assert votes.scores.tolist() == [7, 3, 9]
    assert votes.watch.tolist() == [1, -1, 0]
    person = User.objects.get(username="watches.x-1")
    assert not person.is_active
    assert not person.has_usable_password()
    assert authenticate(username=person.username, password="") is None
    assert not Membership.objects.filter(user=person).exists()
    assert person.imported_as.name == "x 1"
    with pytest.raises(MemberError, match="only from imported votes"):
        user_active_set(user=person, active=True, by=User.objects.create(username="root"))


def test_the_counters_of_photos_and_the_surplus_are_as_if_people_had_voted_here(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    path = votes_file(HEADER + "".join(f"p{number},photo-1.jpg,5\n" for number in range(5)))
    imported(campaign, path)
    photo = Image.objects.get(pk=photos[0].pk)
    assert (photo.votes_needed, photo.vote_count, photo.open_slots) == (3, 5, -2)
    assert list(Annotation.objects.order_by("pk").values_list("surplus", flat=True)) == [False] * 3 + [True] * 2
    assert Image.objects.get(pk=photos[1].pk).open_slots == 3


def test_the_consensus_and_the_training_take_votes_without_a_watch_label(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    imported(campaign, votes_file(HEADER + "a,photo-1.jpg,7\nb,photo-1.jpg,9\n"))
    assert consensus_refresh(campaign=campaign).photos == 1
    photo = Image.objects.get(pk=photos[0].pk)
    assert (photo.consensus.mos, photo.consensus.watch_votes, photo.consensus.watch_posterior) == (8, 0, None)
    assert vote_table(campaign, independent=True).watch.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("rows", "line", "why"),
    [
        ("a,photo-1.jpg,11\n", 2, "11"),
        ("a,photo-1.jpg,7\nb,photo-2.jpg,good\n", 3, "good"),
        ("a,photo-1.jpg,7\nb,photo-9.jpg,7\n", 3, "no photo photo-9.jpg"),
        ("a,photo-1.jpg,7\nb,photo-1.jpg,7\na,photo-1.jpg,8\n", 4, "in line 2"),
    ],
)
def test_a_file_with_a_wrong_line_changes_nothing(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path], rows: str, line: int, why: str
) -> None:
    failed = imported(campaign, votes_file(HEADER + rows))
    assert failed.state == "failed"
    assert [problem[0] for problem in failed.problems] == [line]
    assert why in failed.problems[0][1]
    assert not Annotation.objects.exists()
    assert not User.objects.filter(imported_as__isnull=False).exists()
    assert Image.objects.get(pk=photos[0].pk).vote_count == 0


def test_of_many_wrong_lines_the_first_hundred_are_kept_and_all_are_counted(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    failed = imported(campaign, votes_file(HEADER + "a,photo-1.jpg,99\n" * 250))
    assert failed.message == "250 lines are wrong, so nothing was imported."
    assert [line for line, _why in failed.problems] == list(range(2, 102))


def test_votes_on_unknown_photos_are_left_out_if_asked(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    path = votes_file(HEADER + "a,photo-1.jpg,7\nb,photo-9.jpg,7\n")
    done = imported(campaign, path, leaves_out_unknown=True)
    assert (done.state, done.rows, done.left_out, done.annotators) == ("done", 1, 1, 1)
    assert not User.objects.filter(imported_as__name="b").exists()


def test_a_name_that_several_photos_have_is_not_guessed(
    campaign: Campaign, make_image: Callable[..., Image], votes_file: Callable[..., Path]
) -> None:
    make_image(1, name="same.jpg")
    make_image(2, name="same.jpg")
    failed = imported(campaign, votes_file(HEADER + "a,same.jpg,7\n"))
    assert "or has several times" in failed.message


def test_the_same_file_and_the_same_vote_are_imported_once(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    first = imported(campaign, votes_file(HEADER + "a,photo-1.jpg,7\n"))
    again = imported(campaign, votes_file(HEADER + "a,photo-1.jpg,7\n", "copy.csv"))
    assert (again.state, again.message) == ("failed", "This file has been imported into this campaign already.")
    other = imported(campaign, votes_file(HEADER + "b,photo-1.jpg,7\na,photo-1.jpg,8\n", "other.csv"))
    assert other.problems == [[3, f"This annotator's vote on photo-1.jpg came already with import {first.pk}."]]
    assert Annotation.objects.count() == 1
    # The same person in another file, with another photo.
    assert imported(campaign, votes_file(HEADER + "a,photo-2.jpg,8\n", "more.csv")).state == "done"
    assert User.objects.filter(imported_as__isnull=False).count() == 1


def test_names_that_look_alike_as_user_names_stay_different_people(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path], make_user: Callable[..., User]
) -> None:
    make_user("watches.a")
    imported(campaign, votes_file(HEADER + "a,photo-1.jpg,1\nA,photo-1.jpg,2\na b,photo-1.jpg,3\na-b,photo-1.jpg,4\n"))
    names = User.objects.filter(imported_as__isnull=False).order_by("pk").values_list("username", "imported_as__name")
    assert list(names) == [("watches.a-2", "a"), ("watches.A-3", "A"), ("watches.a-b", "a b"), ("watches.a-b-2", "a-b")]


def test_a_scale_is_mapped_only_onto_whole_scores() -> None:
    assert scores_mapped((1, 5), (1, 9)) == {1: 1, 2: 3, 3: 5, 4: 7, 5: 9}
    assert scores_mapped((0, 9), (1, 10))[0] == 1
    with pytest.raises(VoteImportRefused, match="rounded"):
        scores_mapped((1, 7), (1, 10))


def test_votes_of_another_scale_are_mapped_or_refused(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    path = votes_file(HEADER + "a,photo-1.jpg,3\n")
    with pytest.raises(VoteImportRefused, match="a campaign with the scale 1 to 7"):
        imported(campaign, path, scale=(1, 7))
    assert not VoteImport.objects.exists()
    imported(campaign, path, scale=(1, 4))
    assert Annotation.objects.get().score == 7


def test_histograms_stay_histograms_also_of_photos_that_come_later(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = votes_file("file,1,2,3,4,5\nphoto-1.jpg,0,0,2,1,1\nlater.jpg,4,0,0,0,0\n")
    done = imported(campaign, path, reader="histogram-csv", scale=(1, 5))
    assert (done.state, done.rows, done.photos, done.annotators) == ("done", 2, 2, 0)
    assert not Annotation.objects.exists()
    first, second = AggregatedVotes.objects.order_by("pk")
    assert (first.image, first.counts, first.votes, first.mos) == (photos[0], [0, 0, 2, 1, 1], 4, 3.75)
    assert first.sos == pytest.approx(0.957427)
    assert (second.image, second.name, second.sos) == (None, "later.jpg", 0)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "later.jpg").write_bytes(photo_bytes(77))
    folder_import(campaign=campaign, source=tmp_path / "new")
    second.refresh_from_db()
    assert second.image == Image.objects.get(name="later.jpg")


def test_means_without_votes_are_kept_as_means(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    imported(campaign, votes_file("file,mos\nphoto-2.jpg,61.5\n"), reader="mean-csv", scale=(0, 100))
    row = AggregatedVotes.objects.get()
    assert (row.image, row.mos, row.votes, row.sos, row.counts) == (photos[1], 61.5, None, None, None)


def test_simulated_votes_are_called_simulated(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    imported(campaign, votes_file(HEADER + "bot,photo-1.jpg,7\n"), is_simulated=True)
    assert User.objects.get(imported_as__name="bot").is_simulated
    assert Campaign.objects.get(pk=campaign.pk).has_simulated_annotators


def test_an_import_is_in_the_audit(campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]) -> None:
    imported(campaign, votes_file(HEADER + "a,photo-1.jpg,7\n"))
    record = AuditRecord.objects.get(kind=AuditKind.VOTE_IMPORT)
    assert (record.what, record.after["rows"]) == (f"votes, import {VoteImport.objects.get().pk}", 1)


def test_the_progress_ends_complete(campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]) -> None:
    seen: list[tuple[str, int, int]] = []
    imported(
        campaign, votes_file(HEADER + "a,photo-1.jpg,7\nb,photo-1.jpg,7\n"), report=lambda *step: seen.append(step)
    )
    assert ("reading", 3, 3) in seen
    assert ("storing", 2, 2) in seen


class TestWorker:
    def queued(self, campaign: Campaign, text: str) -> VoteImport:
        queued = vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source="votes.csv")
        upload_path(queued).parent.mkdir(parents=True, exist_ok=True)
        upload_path(queued).write_text(text)
        return queued

    def test_it_is_claimed_once_and_the_file_is_deleted(self, campaign: Campaign, photos: list[Image]) -> None:
        queued = self.queued(campaign, HEADER + "a,photo-1.jpg,7\n")
        claimed = vote_import_claim(import_id=queued.pk)
        assert claimed is not None
        assert vote_import_claim(import_id=queued.pk) is None
        assert uploaded_votes_import(vote_import=claimed).state == "done"
        assert not upload_path(queued).exists()

    def test_an_import_whose_worker_was_killed_is_done_by_another_one(
        self, campaign: Campaign, photos: list[Image]
    ) -> None:
        queued = self.queued(campaign, HEADER + "a,photo-1.jpg,7\n")
        vote_import_claim(import_id=queued.pk)
        VoteImport.objects.update(heartbeat_at=timezone.now() - 2 * STALE)
        assert vote_imports_claimable() == [queued.pk]
        claimed = vote_import_claim(import_id=queued.pk)
        assert claimed is not None
        assert uploaded_votes_import(vote_import=claimed).rows == 1

    def test_a_worker_that_was_killed_after_the_votes_were_stored_leaves_only_the_counters(
        self, campaign: Campaign, photos: list[Image]
    ) -> None:
        queued = self.queued(campaign, HEADER + "a,photo-1.jpg,7\n")
        vote_import_run(vote_import=queued, path=upload_path(queued))
        upload_path(queued).unlink()
        Image.objects.update(vote_count=0, open_slots=3)
        VoteImport.objects.update(state="running", heartbeat_at=timezone.now() - timedelta(hours=1))
        claimed = vote_import_claim(import_id=queued.pk)
        assert claimed is not None
        assert uploaded_votes_import(vote_import=claimed).state == "done"
        assert Annotation.objects.count() == 1
        assert Image.objects.get(pk=photos[0].pk).vote_count == 1

    def test_an_import_without_its_file_says_that_it_was_interrupted(self, campaign: Campaign) -> None:
        queued = self.queued(campaign, "")
        upload_path(queued).unlink()
        claimed = vote_import_claim(import_id=queued.pk)
        assert claimed is not None
        assert "was interrupted" in uploaded_votes_import(vote_import=claimed).message


@pytest.mark.django_db(transaction=True)
def test_annotators_do_not_wait_for_an_import(
    campaign: Campaign, people: Any, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    """While the rows are stored, but not committed, somebody votes on the same photo."""

    def vote() -> int:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")  # else this thread and the import wait for each other
            answered = {"image_id": photos[0].pk, "client_id": uuid4(), "watch": "yes", "score": 7}
            return annotation_record(campaign=campaign, annotator=people["alice"], **answered).annotation.pk
        finally:
            connection.close()

    def report(step: str, done: int, total: int) -> None:
        if step == "storing":
            with ThreadPoolExecutor(1) as pool:
                answers.append(pool.submit(vote).result())

    answers: list[int] = []
    done = imported(campaign, votes_file(HEADER + "a,photo-1.jpg,5\nb,photo-1.jpg,5\n"), report=report)
    assert done.state == "done"
    assert len(answers) == 1
    photo = Image.objects.get(pk=photos[0].pk)
    assert (photo.vote_count, photo.open_slots) == (3, 0)


def test_an_imported_person_is_found_by_name_and_can_be_anonymised(
    campaign: Campaign,
    photos: list[Image],
    votes_file: Callable[..., Path],
    make_user: Callable[..., User],
    client: Any,
) -> None:
    imported(campaign, votes_file(HEADER + "Zebedee,photo-1.jpg,7\n"))
    person = User.objects.get(imported_as__name="Zebedee")
    root = make_user("root", is_superuser=True)
    client.force_login(root)
    assert "watches.Zebedee" not in client.get("/users/").content.decode()
    found = client.get("/users/", {"q": "zebedee"}).content.decode()
    assert "watches.Zebedee" in found
    assert "Reactivate" not in found
    user_anonymise(user=person, by=root)
    person.refresh_from_db()
    assert "zebedee" not in f"{person.username} {person.name_key} {person.imported_as.name}".lower()
    assert Annotation.objects.filter(annotator=person).count() == 1


def test_an_error_while_counting_leaves_the_import_to_another_worker(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    path = votes_file(HEADER + "a,photo-1.jpg,7\n")

    def report(step: str, done: int, total: int) -> None:
        if step == "counting votes":
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        imported(campaign, path, report=report)
    stopped = VoteImport.objects.get()
    assert (stopped.state, stopped.rows, Annotation.objects.count()) == ("running", 1, 1)
    VoteImport.objects.update(heartbeat_at=timezone.now() - 2 * STALE)
    claimed = vote_import_claim(import_id=stopped.pk)
    assert claimed is not None
    assert uploaded_votes_import(vote_import=claimed).state == "done"
    assert Image.objects.get(pk=photos[0].pk).vote_count == 1


def test_an_error_before_the_votes_are_stored_stores_nothing(
    campaign: Campaign, photos: list[Image], votes_file: Callable[..., Path]
) -> None:
    def report(step: str, done: int, total: int) -> None:
        if step == "storing":
            raise RuntimeError("out of memory")

    failed = imported(campaign, votes_file(HEADER + "a,photo-1.jpg,7\n"), report=report)
    assert failed.state == "failed"
    assert "Nothing was stored" in failed.message
    assert not Annotation.objects.exists()


def test_two_names_of_one_new_photo_do_not_stop_the_import_of_photos(
    campaign: Campaign, votes_file: Callable[..., Path], tmp_path: Path
) -> None:
    imported(campaign, votes_file("file,mos\nlater.jpg,5\n./later.jpg,6\n"), reader="mean-csv")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "later.jpg").write_bytes(photo_bytes(77))
    batch = folder_import(campaign=campaign, source=tmp_path / "new")
    assert (batch.state, batch.added) == ("done", 1)
    assert not AggregatedVotes.objects.filter(image__isnull=False).exists()

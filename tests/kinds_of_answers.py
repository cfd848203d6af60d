"""A campaign with every kind of answer. Each answer has a name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from annotation.models import Annotation, Campaign, Image, User
from annotation.services.queue import counters_rebuild
from tests.opinions_and_predictions import images_make, vote


@dataclass
class KindsOfAnswers:
    """Photos by name, the name of each row, and the names of the rows that each condition should select."""

    campaign: Campaign
    people: dict[str, User]
    photos: dict[str, Image] = field(default_factory=dict)
    label_of: dict[int, str] = field(default_factory=dict)
    votes: set[str] = field(default_factory=set)
    skips: set[str] = field(default_factory=set)
    exposed: set[str] = field(default_factory=set)
    """Given after the annotator saw a prediction."""
    outlived: set[str] = field(default_factory=set)
    """Blind answers that an exposed answer superseded. They are independent votes, but not votes."""
    taught: set[str] = field(default_factory=set)
    """On practice and example photos."""

    @property
    def independent(self) -> set[str]:
        """Return the names of the independent votes."""
        return self.votes - self.exposed | self.outlived

    def expected(self, labels: set[str]) -> list[tuple[int, int, int]]:
        """Return (photo, annotator, score) of the rows with these names, sorted."""
        named = {pk for pk, label in self.label_of.items() if label in labels}
        rows = Annotation.objects.filter(pk__in=named).values_list("image_id", "annotator_id", "score")
        return sorted(rows)  # type: ignore[arg-type]  # votes have a score

    def of_photos(self, labels: set[str]) -> dict[int, list[int]]:
        """Return {photo: its scores, lowest first} of the rows with these names."""
        found: dict[int, list[int]] = {}
        for image, _, score in self.expected(labels):
            found.setdefault(image, []).append(score)
        return {image: sorted(scores) for image, scores in found.items()}


def kinds_make(campaign: Campaign, people: dict[str, Any], make_user: Callable[..., Any]) -> KindsOfAnswers:
    """Fill the campaign: alice gives every kind of answer; bob and carol give an ordinary vote to each photo.

    The scores differ, so that a wrongly selected row changes the result. All photos belong to the holdout.
    """
    alice, bob, carol = people["alice"], people["bob"], make_user("carol")
    kinds = KindsOfAnswers(campaign, {"alice": alice, "bob": bob, "carol": carol})
    names = (
        "ordinary", "unsure", "surplus", "skipped", "corrected", "skip corrected", "seen", "seen corrected", "anchored",
        "repeated", "practice", "example", "gold", "problem", "slip", "withdrawn", "twice",
    )  # fmt: skip
    photos = images_make(campaign, len(names), holdout=True)
    kinds.photos = dict(zip(names, photos, strict=True))
    campaign.images.update(votes_needed=2)

    def add_answer(
        label: str, photo: str, person: User, score: int | None, watch: str = "yes", **fields: Any
    ) -> Annotation:
        row = vote(kinds.photos[photo], person, score, watch, **fields)  # type: ignore[arg-type]  # a skip has none
        kinds.label_of[row.pk] = label
        return row

    def expect_in(label: str, *sets: set[str]) -> None:
        for one in sets:
            one.add(label)

    for name in names:
        for number, person in enumerate((bob, carol)):
            add_answer(f"{name}, {person.username}", name, person, 4 + 2 * number, "no")
            expect_in(f"{name}, {person.username}", kinds.votes)
            if name in ("practice", "example"):
                kinds.taught.add(f"{name}, {person.username}")
    for name in ("ordinary", "practice", "example", "gold", "problem"):
        add_answer(name, name, alice, 3)
        expect_in(name, kinds.votes)
        if name in ("practice", "example"):
            kinds.taught.add(name)
    add_answer("unsure", "unsure", alice, 3, "unsure")
    add_answer("surplus", "surplus", alice, 8, surplus=True)
    expect_in("unsure", kinds.votes)
    expect_in("surplus", kinds.votes)
    add_answer("skipped", "skipped", alice, None, "", skip_reason="I cannot judge this photo")
    expect_in("skipped", kinds.skips)
    first = add_answer("first, then corrected", "corrected", alice, 1)
    add_answer("vote, corrected", "corrected", alice, 7, "no", supersedes=first)
    expect_in("vote, corrected", kinds.votes)
    skip = add_answer(
        "skip, then corrected", "skip corrected", alice, None, "", skip_reason="I cannot judge this photo"
    )
    add_answer("skip, corrected", "skip corrected", alice, 9, supersedes=skip)
    expect_in("skip, corrected", kinds.votes)
    add_answer("seen", "seen", alice, 10, saw_prediction=True)
    expect_in("seen", kinds.votes, kinds.exposed)
    first = add_answer("first, then revealed", "seen corrected", alice, 1)
    add_answer("after reveal, corrected", "seen corrected", alice, 2, supersedes=first, saw_prediction=True)
    expect_in("first, then revealed", kinds.outlived)
    expect_in("after reveal, corrected", kinds.votes, kinds.exposed)
    first = add_answer("slip", "slip", alice, 1)
    add_answer("slip, corrected", "slip", alice, 6, supersedes=first, saw_prediction=True, seconds_later=2)
    expect_in("slip, corrected", kinds.votes)
    first = add_answer("blind, then withdrawn", "withdrawn", alice, 2)
    second = add_answer("exposed, then withdrawn", "withdrawn", alice, 9, supersedes=first, saw_prediction=True)
    add_answer(
        "skip after exposed", "withdrawn", alice, None, "", supersedes=second, saw_prediction=True, skip_reason="Other"
    )
    expect_in("skip after exposed", kinds.skips)
    first = add_answer("first of three", "twice", alice, 2)
    second = add_answer("second of three, blind", "twice", alice, 3, supersedes=first)
    third = add_answer("third of three, exposed", "twice", alice, 8, supersedes=second, saw_prediction=True)
    # The reveal is off now, but the annotator has seen the prediction.
    add_answer("fourth of three, exposed", "twice", alice, 9, supersedes=third)
    expect_in("second of three, blind", kinds.outlived)
    expect_in("fourth of three, exposed", kinds.votes, kinds.exposed)
    add_answer("anchored", "anchored", alice, 10, saw_prediction=True, is_anchored=True)
    expect_in("anchored", kinds.votes, kinds.exposed)
    add_answer("before repeat", "repeated", alice, 5)
    expect_in("before repeat", kinds.votes)
    repeat = add_answer("repeat", "repeated", alice, 1, is_repeat=True)
    add_answer("repeat, corrected", "repeated", alice, 6, "no", supersedes=repeat, is_repeat=True)
    for role in ("practice", "example", "gold"):
        Image.objects.filter(pk=kinds.photos[role].pk).update(role=role, expected_score=3, expected_watch="yes")
    Image.objects.filter(pk=kinds.photos["problem"].pk).update(problem="It does not open.")
    counters_rebuild(campaign=campaign)
    return kinds

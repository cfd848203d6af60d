"""Editing one's own answer to a photo, in the list of the page "Your work" or on a page of its own, and taking it back.

In the list, htmx replaces the row: by the form, and then by the new row with a message and a button to undo.
"""

from uuid import UUID, uuid4, uuid5

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.forms import CorrectionForm
from annotation.models import Annotation, Campaign, Role, User
from annotation.selectors.comments import comments_by_photo
from annotation.selectors.own_history import others_hide, with_others
from annotation.selectors.own_work import correction_refused
from annotation.selectors.votes import own_standing
from annotation.services.annotations import AnnotationError, annotation_record
from annotation.services.comments import CommentError, comment_record
from annotation.services.key_bindings import key_bindings_of, key_name
from annotation.views.annotate import SCORE_BUTTONS

_VIEWING = {"page": "own-work"}  # marks answers that were not given on the annotate page


@require_http_methods(["GET", "POST"])
@campaign_view(Role.ANNOTATOR)
def own_answer(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Edit the user's own answer to a photo: record a new revision that supersedes the old one.

    For htmx: the row of the list as a form, and after saving the row with what has changed.
    """
    user = current_user(request)
    answer = _standing(campaign, user, image_id)
    refused = correction_refused(answer.image)
    form = CorrectionForm(
        request.POST or None,
        campaign=campaign,
        buttons=campaign.bins <= SCORE_BUTTONS,
        auto_id=f"answer-{image_id}-%s",
        initial={"client_id": uuid4(), "watch": answer.watch, "score": answer.score},
    )
    in_list = bool(request.htmx)  # type: ignore[attr-defined]  # set by django-htmx
    if request.method == "POST" and not refused and form.is_valid():
        try:
            done = _save(answer, user, **form.cleaned_data)
        except (AnnotationError, CommentError) as error:
            form.add_error(None, str(error))
        else:
            if in_list:
                return _row(request, campaign, image_id, done=done, before=answer)
            messages.success(request, f"{answer.image.name}: {done}")
            return redirect(f"{reverse('own-work', args=[campaign.slug])}#history")
    context = {"campaign": campaign, "answer": answer, "image": answer.image, "form": form, "refused": refused}
    if in_list:  # with status 200 even after an error, because htmx ignores the content of error responses
        return render(request, "annotation/_own_answer_edit.html", context)
    bindings = key_bindings_of(user)
    context |= {"keys": {action: key_name(key) for action, key in bindings.items()}, "key_bindings": bindings}
    failed = bool(form.errors) or (request.method == "POST" and bool(refused))
    return render(request, "annotation/own_answer.html", context, status=422 if failed else 200)


@require_safe
@campaign_view(Role.ANNOTATOR)
def own_answer_row(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Show the row of one answer in the list, as it was before somebody opened the form."""
    return _row(request, campaign, image_id)


@require_POST
@campaign_view(Role.ANNOTATOR)
def own_answer_undo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Give the answer before the last change again, as a new revision."""
    user = current_user(request)
    answer = _standing(campaign, user, image_id)
    before = answer.supersedes
    done = correction_refused(answer.image) or gettext("Nothing was changed: there is a newer answer.")
    if not correction_refused(answer.image) and str(answer.pk) == request.POST.get("answer") and before is not None:
        try:
            annotation_record(
                campaign=campaign,
                annotator=user,
                image_id=image_id,
                client_id=_client_id(request),
                watch=before.watch,
                score=before.score,
                skip_reason=before.skip_reason,
                viewing=_VIEWING,
            )
        except AnnotationError as error:
            done = str(error)
        else:
            done = gettext("Your earlier answer counts again.")
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return _row(request, campaign, image_id, done=done)
    messages.success(request, f"{answer.image.name}: {done}")
    return redirect(f"{reverse('own-work', args=[campaign.slug])}#history")


def current_user(request: HttpRequest) -> User:
    """Return the user of a request to a view of a campaign."""
    assert isinstance(request.user, User)  # campaign_view requires a login
    return request.user


def _standing(campaign: Campaign, user: User, image_id: int) -> Annotation:
    """Return the user's standing answer to the photo, with what a row of the list shows. Raises Http404."""
    rows = own_standing(campaign, user).filter(image=image_id, image__withdrawn_at=None)
    answer = with_others(rows, campaign, user).select_related("image__campaign", "supersedes").first()
    if answer is None:
        raise Http404(gettext("You have not answered this photo."))
    others_hide(answer, campaign)
    return answer


def _save(answer: Annotation, user: User, *, client_id: UUID, watch: str, score: int, comment: str) -> str:
    """Record what has changed and return what happened, as a sentence. The id of the comment follows from the answer's.

    The answers are compared before the answer is recorded, but a repeated request must still find its own row.
    """
    campaign, image_id = answer.campaign, answer.image_id
    is_same = (answer.watch, answer.score) == (watch, score) and answer.client_id != client_id
    if comment:
        comment_record(
            campaign=campaign, author=user, image_id=image_id, client_id=uuid5(client_id, "comment"), text=comment
        )
    if is_same:
        return gettext("Your comment was sent.") if comment else gettext("Nothing has changed.")
    annotation_record(
        campaign=campaign,
        annotator=user,
        image_id=image_id,
        client_id=client_id,
        watch=watch,
        score=score,
        viewing=_VIEWING,
    )
    return "Saved."


def _row(
    request: HttpRequest, campaign: Campaign, image_id: int, *, done: str = "", before: Annotation | None = None
) -> HttpResponse:
    """Show the row of the list. `done`: what has just happened to it; `before`: the answer that was replaced."""
    user = current_user(request)
    answer = _standing(campaign, user, image_id)
    was_changed = before is not None and before.pk != answer.pk
    context = {
        "campaign": campaign,
        "answer": answer,
        "comments": comments_by_photo(campaign, [image_id], user).get(image_id, []),
        "done": done,
        "before": before if was_changed else None,
        "client_id": uuid4(),
    }
    return render(request, "annotation/_own_answer_row.html", context)


def _client_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("client_id", ""))
    except ValueError:
        return uuid4()

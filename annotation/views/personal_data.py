"""What the site stores about a person: the export, and its removal."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation.access.rows import row_or_404
from annotation.forms import AnonymiseForm
from annotation.models import Annotation, User
from annotation.services.anonymisation import user_anonymise
from annotation.services.members import MemberError
from annotation.services.personal_data import personal_data_write


@require_safe
@never_cache
def own_data(request: HttpRequest) -> FileResponse:
    """Send everything that is stored about the user, as a zip."""
    return _data(_current_user(request))


@require_safe
@never_cache
def user_data(request: HttpRequest, user_id: int) -> FileResponse:
    """Send everything that is stored about a user, as a zip. Only for superusers."""
    _superuser_only(request)
    return _data(row_or_404("user", User, pk=user_id))


@require_http_methods(["GET", "POST"])
def anonymise(request: HttpRequest, user_id: int) -> HttpResponse:
    """Say what goes and what stays; after the name was typed, anonymise the user. Only for superusers."""
    by = _superuser_only(request)
    person = row_or_404("user", User, pk=user_id)
    form = AnonymiseForm(request.POST or None, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            renamed = user_anonymise(user=person, by=by)
        except MemberError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request,
                gettext("The account is anonymised. Its name is now %(username)s.") % {"username": renamed.username},
            )
            return redirect("users")
    answers = Annotation.objects.filter(annotator=person).count()
    context = {"form": form, "person": person, "answers": answers}
    return render(request, "annotation/anonymise.html", context, status=422 if form.errors else 200)


def _data(user: User) -> FileResponse:
    file = personal_data_write(user=user)
    return FileResponse(file, as_attachment=True, filename=f"{user.username}.zip", content_type="application/zip")


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login is required everywhere
    return request.user


def _superuser_only(request: HttpRequest) -> User:
    user = _current_user(request)
    if not user.is_superuser:
        raise PermissionDenied(gettext("Only superusers can manage accounts."))
    return user

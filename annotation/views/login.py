"""The login page, and the page that shows who is refused after too many attempts."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from annotation.access.attempts import TooManyAttempts, refusals
from annotation.forms import LoginForm
from annotation.models import User
from annotation.services.attempts import attempts_lift


class LoginPage(auth_views.LoginView):
    """Django's login page. It says when the next attempt is possible."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        """Return the page with the error: 429 after too many attempts, 503 when too many people log in."""
        response = super().form_invalid(form)
        refusal = form.refusal
        if refusal is not None:
            response.status_code = 429 if isinstance(refusal, TooManyAttempts) else 503
            response.headers["Retry-After"] = str(refusal.seconds)
        return response


@require_safe
def refused_attempts(request: HttpRequest) -> HttpResponse:
    """List the names and addresses that are refused at the moment. Only for superusers."""
    _superuser_only(request)
    return render(request, "annotation/refused_attempts.html", {"refusals": refusals()})


@require_POST
def refused_attempt_lift(request: HttpRequest, row_id: int) -> HttpResponse:
    """Lift one limit. Only for superusers."""
    by = _superuser_only(request)
    if attempts_lift(row_id=row_id, by=by):
        messages.success(request, gettext("The limit was lifted. The next attempt is possible now."))
    return redirect("refused-attempts")


def _superuser_only(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login is required everywhere
    if not request.user.is_superuser:
        raise PermissionDenied(gettext("Only superusers can lift the limits on attempts."))
    return request.user

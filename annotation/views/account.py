"""The account page: what users change for themselves, and the page of a link that sets a password."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.access.addresses import client_address
from annotation.access.attempts import Kind, attempt_return, attempt_take
from annotation.access.browsers import browser_name
from annotation.access.rows import row_or_404
from annotation.account_forms import NewPasswordForm, OwnPasswordForm, PreferencesForm, TokenForm
from annotation.models import ApiToken, Campaign, User, UserSession
from annotation.selectors.sessions import own_sessions
from annotation.services.key_bindings import ACTION_NAMES, key_bindings_of, key_name
from annotation.services.passwords import (
    NOT_VALID,
    PasswordLinkError,
    password_link_find,
    password_link_use,
    user_password_set,
)
from annotation.services.preferences import preferences_set
from annotation.services.sessions import session_end, sessions_end
from annotation.services.tokens import TokenError, token_create, token_revoke

_TOKENS_SHOWN = 100  # the newest


@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Show the user's preferences, sessions, API tokens, keys and the form for the password."""
    return _page(request)


@sensitive_post_parameters()
@require_POST
@never_cache
def account_password(request: HttpRequest) -> HttpResponse:
    """Change the user's own password. All other sessions end."""
    user = _current_user(request)
    form = OwnPasswordForm(request.POST, user=user)
    if form.is_valid() and _done(form, lambda: user_password_set(user=user, password=form.cleaned_data["password"])):
        update_session_auth_hash(request, user)  # this session goes on
        messages.success(request, gettext("Your password was changed. Your other sessions have ended."))
        return redirect("account")
    return _page(request, password_form=form)


@require_POST
@never_cache
def account_preferences(request: HttpRequest) -> HttpResponse:
    """Set time zone, theme, session goal and email address."""
    form = PreferencesForm(request.POST)
    if form.is_valid() and _done(form, lambda: preferences_set(user=_current_user(request), **form.cleaned_data)):
        messages.success(request, "Saved.")
        return redirect("account")
    return _page(request, preferences_form=form)


@require_POST
def account_session_end(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one session of the user."""
    user = _current_user(request)
    session_end(user=user, session_id=row_or_404("session", UserSession, user=user, pk=session_id).pk)
    messages.success(request, gettext("The session has ended."))
    return redirect("account")


@require_POST
def account_sessions_end(request: HttpRequest) -> HttpResponse:
    """End all sessions of the user but this one."""
    ended = sessions_end(user=_current_user(request), keep=request.session.session_key)
    messages.success(
        request, ngettext("%(n)s other session ended.", "%(n)s other sessions ended.", ended) % {"n": ended}
    )
    return redirect("account")


@require_POST
@never_cache
def account_token_new(request: HttpRequest) -> HttpResponse:
    """Create an API token and show its secret, only in this response."""
    form = TokenForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            token, secret = token_create(
                user=_current_user(request),
                name=values["name"],
                scope=ApiToken.Scope(values["scope"]),
                days=values["days"],
            )
        except TokenError as error:
            form.add_error(None, str(error))
        else:
            return _page(request, new_token=token, secret=secret)
    return _page(request, token_form=form)


@require_POST
def account_token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Revoke an API token of the user."""
    user = _current_user(request)
    if token_revoke(user=user, token_id=row_or_404("API token", ApiToken, user=user, pk=token_id).pk):
        messages.success(request, gettext("The token was revoked. Programs can no longer use it."))
    else:
        messages.error(request, gettext("This token was already revoked."))
    return redirect("account")


@sensitive_post_parameters()
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def password_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Let the user of the link set a new password. All links that do not work get the same response.

    Raises TooManyAttempts after many of them from one address.
    """
    address = client_address(request)
    attempt_take(Kind.INVITATION, address=address)
    link = password_link_find(secret=secret)
    if link is not None:
        attempt_return(Kind.INVITATION, address=address)
    else:
        return render(request, "annotation/password_link.html", {"not_valid": NOT_VALID}, status=404)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if _done(form, lambda: password_link_use(link=link, password=form.cleaned_data["password"])):
                messages.success(request, gettext("Your password is set. Log in with it."))
                return redirect("login")
        except PasswordLinkError as error:  # meanwhile the link was used or replaced
            return render(request, "annotation/password_link.html", {"not_valid": str(error)}, status=404)
    context = {"form": form, "person": link.user}
    return render(request, "annotation/password_link.html", context, status=422 if form.errors else 200)


def _done(form: forms.Form, change: Any) -> bool:
    """Make the change. False when it refuses values; the form then says why."""
    try:
        change()
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def _page(request: HttpRequest, **changed: Any) -> HttpResponse:
    """Render the account page. `changed`: a form with errors, or a new token with its secret."""
    user = _current_user(request)
    user.refresh_from_db(fields=["email", "key_bindings", "session_goal"])  # together, instead of one query each
    preferences = {name: getattr(user, name) for name in ("language", "time_zone", "theme", "session_goal", "email")}
    keys = key_bindings_of(user)
    context = {
        "password_form": OwnPasswordForm(user=user),
        "preferences_form": PreferencesForm(initial=preferences),
        "token_form": TokenForm(),
        "sessions": [(session, browser_name(session.browser)) for session in own_sessions(user)],
        "session_key": request.session.session_key,
        "tokens": user.api_tokens.all()[:_TOKENS_SHOWN],
        "keys": [(ACTION_NAMES[action], key_name(key)) for action, key in keys.items()],
        "keys_campaign": Campaign.objects.filter(memberships__user=user).order_by("-id").first(),
        **changed,
    }
    failed = any(isinstance(value, forms.Form) for value in changed.values())
    return render(request, "annotation/account.html", context, status=422 if failed else 200)


def _current_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user

"""The API of the caller's own account: settings that apply to all campaigns."""

from typing import Literal, cast

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from annotation.api_schema import WRITE_PROBLEMS, StrictSchema
from annotation.models import User
from annotation.services.key_bindings import KeyBindingError, key_bindings_set
from annotation.services.preferences import MOST_GOAL, session_goal_set, theme_set

router = Router(tags=["me"])


class KeysIn(StrictSchema):
    """The keys to set."""

    bindings: dict[str, str] = Field(description="{action: key}. Other actions get their default key.")


class ThemeIn(StrictSchema):
    """The theme to set."""

    theme: Literal["", "light", "dark"] = Field(description="Empty: as each browser has it.")


class ThemeOut(Schema):
    """The theme of all pages."""

    theme: str


class GoalIn(StrictSchema):
    """The goal to set."""

    photos: int = Field(ge=0, le=MOST_GOAL, description="Photos in one session. 0: no goal.")


class GoalOut(Schema):
    """The session goal of the caller."""

    photos: int


class KeysOut(Schema):
    """The keys of all actions."""

    bindings: dict[str, str]


@router.put("/me/keys", response={200: KeysOut, **WRITE_PROBLEMS}, url_name="me-keys")
def keys_set(request: HttpRequest, chosen: KeysIn) -> KeysOut:
    """Set the caller's keys for the annotate page."""
    user = cast(User, request.user)  # SessionAuth requires a login
    try:
        return KeysOut(bindings=key_bindings_set(user=user, bindings=chosen.bindings))
    except KeyBindingError as error:
        raise HttpError(422, str(error)) from None


@router.put("/me/theme", response={200: ThemeOut, **WRITE_PROBLEMS}, url_name="me-theme")
def theme_put(request: HttpRequest, chosen: ThemeIn) -> ThemeOut:
    """Set the theme of all pages for the caller."""
    user = cast(User, request.user)  # the authentication requires a login
    theme_set(user=user, theme=User.Theme(chosen.theme))
    return ThemeOut(theme=user.theme)


@router.put("/me/session-goal", response={200: GoalOut, **WRITE_PROBLEMS}, url_name="me-session-goal")
def goal_put(request: HttpRequest, chosen: GoalIn) -> GoalOut:
    """Set how many photos the caller wants to rate in one session."""
    user = cast(User, request.user)  # the authentication requires a login
    session_goal_set(user=user, photos=chosen.photos)
    return GoalOut(photos=user.session_goal)

"""The API of one's own account: what a person sets for themselves, in every campaign."""

from typing import cast

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from annotation.api import Problem
from annotation.models import User
from annotation.services.key_bindings import KeyBindingError, key_bindings_set

router = Router(tags=["me"])


class KeysIn(Schema):
    """Keys to set."""

    bindings: dict[str, str] = Field(description="{action: key}; actions left out get their default.")


class KeysOut(Schema):
    """The keys of all actions."""

    bindings: dict[str, str]


@router.put("/me/keys", response={200: KeysOut, 401: Problem, 422: Problem}, url_name="me-keys")
def keys_set(request: HttpRequest, chosen: KeysIn) -> KeysOut:
    """Set the asker's keys of the annotate page."""
    user = cast(User, request.user)  # SessionAuth lets nobody else through
    try:
        return KeysOut(bindings=key_bindings_set(user=user, bindings=chosen.bindings))
    except KeyBindingError as error:
        raise HttpError(422, str(error)) from None

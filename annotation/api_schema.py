"""Building blocks of the API's schemas: strict types, path parameters, and the errors of all operations."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict


class StrictSchema(Schema):
    """What a program sends. Types are not converted: `true` and `"5"` are no integers."""

    model_config = ConfigDict(strict=True)


class Problem(Schema):
    """An error, as a sentence."""

    detail: str


Id = Annotated[int, Field(ge=1, lt=2**63)]
#: A UUID as text; JSON has no other form.
Uuid = Annotated[UUID, Field(strict=False)]
#: Two integers as a list; JSON has no tuples.
Pair = Annotated[tuple[Annotated[int, Field(strict=True)], Annotated[int, Field(strict=True)]], Field(strict=False)]
#: A campaign in an address.
Slug = Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]+$", max_length=100)]

#: What every operation can answer: log in, not allowed, not found, values that are not valid, too many requests, busy.
READ_PROBLEMS: Mapping[int, type[Schema]] = dict.fromkeys((401, 403, 404, 422, 429, 503), Problem)
#: And with a body: too slow, too long, no JSON, the disk is full.
WRITE_PROBLEMS: Mapping[int, type[Schema]] = {**READ_PROBLEMS, **dict.fromkeys((408, 413, 415, 507), Problem)}

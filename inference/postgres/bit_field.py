"""A column of PostgreSQL's type `bit(n)`, for signatures that are compared by the number of differing bits."""

from typing import Any

from django.db import models


class BitField(models.Field):  # type: ignore[type-arg]  # takes its types at run time only in newer stubs
    """`length` bits; in Python a string of as many '0' and '1'."""

    def __init__(self, *args: Any, length: int, **kwargs: Any) -> None:
        self.length = length
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        """Return the column's type."""
        return f"bit({self.length})"

    def deconstruct(self) -> Any:
        """Return what a migration writes down."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "length": self.length}

"""A field for PostgreSQL's type `bit(n)`."""

from typing import Any

from django.db import models


class BitField(models.Field):  # type: ignore[type-arg]  # generic in the stubs only
    """`length` bits; in Python a string of '0' and '1' of this length."""

    def __init__(self, *args: Any, length: int, **kwargs: Any) -> None:
        self.length = length
        super().__init__(*args, **kwargs)

    def db_type(self, connection: Any) -> str:
        """Return the column's type."""
        return f"bit({self.length})"

    def deconstruct(self) -> Any:
        """Return the arguments that a migration needs."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "length": self.length}

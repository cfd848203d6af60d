"""Values that are written into a statement, so that the database plans with them.

A statement that a connection runs often is prepared, and from the sixth time on PostgreSQL may keep one plan for all
values ('generic plan'). It then assumes an average campaign and cannot use an index of a few states: with a million
photos, a small campaign waited .2 to .5 s for what an index finds in .1 ms.
"""

import re
from typing import Any

from django.db.models import Expression, IntegerField, TextField

_WORD = re.compile(r"[a-z_]+")


class Known(Expression):
    """A whole number or a word of small letters, as a part of the statement instead of a parameter of it.

    Raises ValueError for any other value: nothing is quoted.
    """

    def __init__(self, value: int | str) -> None:
        if not (isinstance(value, int) or _WORD.fullmatch(value)):
            raise ValueError(f"{value!r} cannot be written into a statement.")
        super().__init__(output_field=IntegerField() if isinstance(value, int) else TextField())
        self.value = value

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """Return the SQL, without parameters."""
        return str(int(self.value)) if isinstance(self.value, int) else f"'{self.value}'", ()

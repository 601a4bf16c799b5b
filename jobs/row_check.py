"""A CHECK constraint whose condition PostgreSQL keeps ready."""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BaseConstraint, Model

_CREATE = """
CREATE FUNCTION {name}({arguments}) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $check$
BEGIN
RETURN {condition};
END
$check$;
ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({name}({columns})) NOT VALID
"""
_REMOVE = """
ALTER TABLE {table} DROP CONSTRAINT {name};
DROP FUNCTION {name}
"""


class RowCheck(BaseConstraint):
    """`condition`, SQL over the columns of `fields`, holds in every row.

    PostgreSQL reads and plans the text of a plain CHECK anew for every statement, which for a long
    one takes a third of a claim's time; what a function says it plans once a session. Rows that are
    there already are checked by `ALTER TABLE ... VALIDATE CONSTRAINT`, which a migration runs apart
    because it does not lock the table (docs/adr/0011-row-check.md).
    """

    def __init__(self, *, name: str, fields: Sequence[str], condition: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.fields = tuple(fields)
        self.condition = condition

    def constraint_sql(self, model: type[Model] | None, editor: Any) -> None:  # type: ignore[override]
        """Nothing inside CREATE TABLE: there the function does not exist yet."""
        if model is not None:
            editor.deferred_sql.append(self.create_sql(model, editor))

    def create_sql(self, model: type[Model] | None, editor: Any) -> str:
        """The function and the constraint; rows that are there are not looked at."""
        return self._fill(_CREATE, model, editor)

    def remove_sql(self, model: type[Model] | None, editor: Any) -> str:
        """Both gone."""
        return self._fill(_REMOVE, model, editor)

    def validate(
        self,
        model: type[Model],
        instance: Model,
        exclude: Any = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Left to the database: no form writes these rows."""

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        """See BaseConstraint."""
        path, arguments, options = super().deconstruct()
        return path, arguments, {**options, "fields": self.fields, "condition": self.condition}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowCheck) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.name, self.condition))

    def _fill(self, sql: str, model: type[Model] | None, editor: Any) -> str:
        assert model is not None  # noqa: S101 - Django's types allow it, its code does not
        fields = [field for field in model._meta.concrete_fields if field.name in self.fields]
        columns = [editor.quote_name(field.column) for field in fields]
        types = [str(field.db_type(editor.connection)) for field in fields]
        return sql.format(
            name=editor.quote_name(self.name),
            table=editor.quote_name(model._meta.db_table),
            columns=", ".join(columns),
            arguments=", ".join(" ".join(pair) for pair in zip(columns, types, strict=True)),
            condition=self.condition.strip(),
        )

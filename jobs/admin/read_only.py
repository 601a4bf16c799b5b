"""Rows for people to look at: lists of the newest, whose cost does not grow with the table."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

# A list is counted, and filtered by columns that have no index.
NEWEST = 5_000

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class NewestRows(ChangeList):
    """What is asked for, among the newest rows; a search is for a key and finds old ones too."""

    model_admin: "ReadOnlyAdmin"

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """The list, before it is counted and divided into pages."""
        found: QuerySet[Any] = super().get_queryset(request, *args, **kwargs)
        if self.query:
            return found
        keys = self.model_admin.walked(request).order_by("-pk").values_list("pk", flat=True)
        last = next(iter(keys[NEWEST - 1 : NEWEST]), None)
        if last is not None:
            found = found.filter(pk__gte=last)
        return found


class ReadOnlyAdmin(ModelAdmin):
    """Lists and shows rows. No sorting by columns that have no index."""

    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """That of the newest."""
        return NewestRows

    def walked(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows whose newest come into question, by an index of keys."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, which says that it is not all."""
        says = {"subtitle": f"What fits among the newest {NEWEST:,}"}
        return super().changelist_view(request, {**says, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows here."""
        return False

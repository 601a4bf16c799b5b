"""Rows for people to look at: lists of the newest, whose cost does not grow with the table."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

# A list is counted, and filtered by columns that have no index.
NEWEST = 5_000

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class NewestAdmin(ModelAdmin):
    """Lists what fits among the newest rows. No sorting by columns that have no index."""

    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def walked(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows whose newest come into question, by an index of keys."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def newest(self, request: HttpRequest, found: QuerySet[Any]) -> QuerySet[Any]:
        """What of this is among them."""
        keys = self.walked(request).order_by("-pk").values_list("pk", flat=True)
        last = next(iter(keys[NEWEST - 1 : NEWEST]), None)
        return found if last is None else found.filter(pk__gte=last)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The list, before it is counted and divided into pages, also without a search."""
        return super().get_search_results(request, self.newest(request, queryset), search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, which says that it is not all."""
        says = {"subtitle": f"What fits among the newest {NEWEST:,}"}
        return super().changelist_view(request, {**says, **(extra_context or {})})


class ReadOnlyAdmin(NewestAdmin):
    """Shows rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows here."""
        return False

"""Accounts and tokens in the admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.models import Account, Token
from accounts.plans import PLANS
from jobs.admin.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    BaseUserAdmin = UserAdmin[User]
    ModelForm = forms.ModelForm[Account]
    StackedInline = admin.StackedInline[Account, User]
else:
    BaseUserAdmin = UserAdmin
    ModelForm = forms.ModelForm
    StackedInline = admin.StackedInline


class AccountForm(ModelForm):
    """The plan is one that there is."""

    plan = forms.ChoiceField(choices=[(name, name) for name in PLANS])

    class Meta:
        model = Account
        fields = ("plan",)


class AccountInline(StackedInline):
    """The plan of a user."""

    model = Account
    form = AccountForm
    can_delete = False


class UserWithPlan(BaseUserAdmin):
    """Django's own page, with the plan."""

    inlines = (AccountInline,)


admin.site.unregister(User)
admin.site.register(User, UserWithPlan)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens can be looked at and deleted; the secret is nowhere, and its digest not shown."""

    list_display = ("name", "user", "scopes", "created", "expiry", "last_used_at")
    fields = ("name", "user", "scopes", "created", "expiry", "lives_on", "last_used_at")
    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may delete tokens."""
        return request.user.has_perm("accounts.delete_token")

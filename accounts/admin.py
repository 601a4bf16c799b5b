"""Accounts and tokens in the admin."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.admin_login import LoginForm
from accounts.models import Account, Token
from accounts.plans import PLANS
from accounts.sessions import end_everything
from jobs.admin.read_only import NewestAdmin, ReadOnlyAdmin

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


class UserWithPlan(NewestAdmin, BaseUserAdmin):
    """Django's own page, with the plan."""

    inlines = (AccountInline,)
    actions = ("end_tokens_and_sessions",)
    search_help_text = "A whole user name; a part of a name or address among the newest."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """By the index of user names first: a search inside of them would read the whole table."""
        whole = queryset.filter(username=search_term.strip())
        if search_term and whole.exists():
            return whole, False
        return super().get_search_results(request, queryset, search_term)

    @admin.action(description="End all tokens and sessions", permissions=["change"])
    def end_tokens_and_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Whoever is in as one of them has to log in again."""
        for user in users:
            end_everything(user)


admin.site.unregister(User)
admin.site.register(User, UserWithPlan)
# It shows secrets, and could give somebody one that another knows: manage.py second_factor.
admin.site.unregister(TOTPDevice)
admin.site.login_form = LoginForm
admin.site.login_template = "accounts/login.html"


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens can be looked at and deleted; the secret is nowhere, and its digest not shown."""

    list_display = ("name", "user", "scopes", "created", "expiry", "last_used_at")
    fields = ("name", "user", "scopes", "created", "expiry", "lives_on", "last_used_at")
    list_select_related = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may delete tokens."""
        return request.user.has_perm("accounts.delete_token")

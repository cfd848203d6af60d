"""Django admin for data that the campaign pages do not show. Answers are read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext, gettext_lazy

from annotation.models import (
    Annotation,
    Assignment,
    AuditKind,
    Campaign,
    Image,
    ImportBatch,
    ImportRejection,
    Membership,
    User,
)
from annotation.services.audit import audit_changes

# Django writes no log entry for each of these rows that the audit could use. Rows can be deleted one by one.
admin.site.disable_action("delete_selected")
_ACCESS = ("is_superuser", "is_staff", "is_simulated")


class ReadOnlyAdmin(admin.ModelAdmin):
    """A read-only table."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: only services create these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: these rows are a record of the past."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: these rows are a record of the past."""
        return False


class UserWithoutPasswordForm(UserChangeForm):
    """Django's form of a user, without the password."""

    password = None  # type: ignore[assignment]  # this is how Django removes an inherited field

    class Meta(UserChangeForm.Meta):
        # Django's own texts speak of its administration and of rights on single tables.
        help_texts = {
            "username": gettext_lazy("At most 150 letters, digits and @ . + - _. Case makes no difference."),
            "is_simulated": gettext_lazy("A program that acts as an annotator, for demos and tests."),
            "is_active": gettext_lazy("Whether the person can log in. The Users page changes it."),
            "is_staff": gettext_lazy("May create campaigns."),
            "is_superuser": gettext_lazy("Is an admin of every campaign, and may change users and open these tables."),
        }

    def clean_is_superuser(self) -> bool:
        """Return whether the user is to be a superuser. Raises ValidationError if no active one would be left."""
        wanted: bool = self.cleaned_data["is_superuser"]
        # Every superuser is locked, so that two of them cannot take the right from each other at the same time.
        superusers = list(User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk"))
        if not wanted and superusers == [self.instance]:
            raise ValidationError(
                gettext("%(username)s is the last superuser and stays one.") % {"username": self.instance.username}
            )
        return wanted


@admin.register(User)
class SiteUserAdmin(UserAdmin):
    """Django's user admin without passwords: the Users page creates accounts, and links that set a password."""

    form = UserWithoutPasswordForm
    list_display = ("username", "is_simulated", "is_staff", "is_active", "last_login")
    list_filter = ("is_simulated", "is_staff", "is_superuser", "is_active")
    # Roles in campaigns say what people may do. Rights on tables (groups, user_permissions) would have no effect.
    fieldsets = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        (gettext_lazy("Rights"), {"fields": ("is_active", "is_staff", "is_superuser", "is_simulated")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    filter_horizontal = ()
    readonly_fields = ("is_active", "last_login", "date_joined")

    def get_urls(self) -> list[URLPattern]:
        """Return Django's addresses without the page that sets the password of another user."""
        return [url for url in super().get_urls() if url.name != "auth_user_password_change"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: the Users page creates accounts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: answers and audit records need their user."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for an anonymised user, who stays anonymous."""
        return (obj is None or obj.anonymised_at is None) and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the user and record what changed."""
        before = User.objects.get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        audit_changes(
            kind=AuditKind.ACCOUNT_CHANGED,
            before={name: getattr(before, name) for name in _ACCESS},
            after={name: getattr(obj, name) for name in _ACCESS},
            user=obj,
        )


class MembershipInline(admin.TabularInline):
    """The members of a campaign, read-only: the members page also returns the photos of a member who is removed."""

    model = Membership
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: members are added on the members page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: roles are changed on the members page, which keeps an admin in each campaign."""
        return False


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    """Campaigns with their members. Only texts can be changed here.

    The settings page checks all other fields against each other, and updates what depends on them.
    """

    list_display = ("name", "slug", "state", "mode", "votes_per_image", "train_after", "created_at")
    list_filter = ("state", "mode")
    search_fields = ("name", "slug")
    inlines = (MembershipInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: the page New campaign creates campaigns, with their first admin."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Return every field except the texts."""
        texts = {"name", "description", "instructions"}
        return tuple(field.name for field in Campaign._meta.concrete_fields if field.name not in {"id", *texts})

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """Save the campaign and record what changed."""
        before = Campaign.objects.filter(pk=obj.pk).values(*form.changed_data).get() if form.changed_data else {}
        super().save_model(request, obj, form, change)
        after = {name: form.cleaned_data[name] for name in form.changed_data}
        audit_changes(kind=AuditKind.SETTINGS_CHANGED, before=before, after=after, campaign=obj)


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    """Photos. Only imports add them."""

    list_display = ("name", "campaign", "split", "vote_count", "votes_needed", "open_slots", "problem")
    list_filter = ("campaign", "split")
    search_fields = ("name", "sha256")
    list_select_related = ("campaign",)
    show_full_result_count = False


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """Leases and their states."""

    list_display = ("id", "campaign", "image", "annotator", "state", "lane", "reason", "leased_at", "expires_at")
    list_filter = ("campaign", "state", "lane")
    list_select_related = ("campaign", "image", "annotator")
    show_full_result_count = False


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    """Answers and skips."""

    list_display = ("id", "campaign", "image", "annotator", "watch", "score", "skip_reason", "created_at")
    list_filter = ("campaign", "watch", "saw_prediction", "surplus")
    list_select_related = ("campaign", "image", "annotator")
    show_full_result_count = False


class RejectionInline(admin.TabularInline):
    """The files that an import rejected."""

    model = ImportRejection
    extra = 0
    can_delete = False
    readonly_fields = ("name", "reason")


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Imports and their states."""

    list_display = ("id", "campaign", "source", "state", "total", "added", "duplicates", "rejected", "created_at")
    list_filter = ("campaign", "state")
    list_select_related = ("campaign",)
    inlines = (RejectionInline,)

"""Django admin for data that the campaign pages do not show. Answers are read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from annotation.models import Annotation, Assignment, Campaign, Image, ImportBatch, ImportRejection, Membership, User


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


@admin.register(User)
class SiteUserAdmin(UserAdmin):
    """Django's user admin with the field `is_simulated`."""

    list_display = ("username", "is_simulated", "is_staff", "is_active", "last_login")
    list_filter = ("is_simulated", "is_staff", "is_superuser", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("IQS", {"fields": ("is_simulated",)}))


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

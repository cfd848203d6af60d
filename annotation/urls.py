"""Addresses of the annotation app."""

from django.urls import path

from annotation.views import annotate, campaigns, imports, members, photo_files

urlpatterns = [
    path("campaigns/<slug:slug>/annotate/", annotate.annotate, name="annotate"),
    path("new-campaign/", campaigns.campaign_new, name="campaign-new"),
    path("campaigns/<slug:slug>/settings/", campaigns.campaign_edit, name="campaign-edit"),
    path("campaigns/<slug:slug>/members/", members.members, name="members"),
    path("users/", members.users, name="users"),
    path("campaigns/<slug:slug>/import/", imports.import_page, name="import"),
    path("campaigns/<slug:slug>/imports/<int:batch_id>/", imports.import_batch, name="import-batch"),
    path("photos/<int:image_id>/original", photo_files.original, name="photo-original"),
    path("photos/<int:image_id>/thumbnail", photo_files.thumbnail, name="photo-thumbnail"),
]

"""URLs of the annotation app."""

from django.urls import path

from annotation.views import (
    annotate,
    campaigns,
    imports,
    invitations,
    login,
    members,
    own_work,
    photo_files,
    special_photos,
)

urlpatterns = [
    path("campaigns/<slug:slug>/annotate/", annotate.annotate, name="annotate"),
    path("new-campaign/", campaigns.campaign_new, name="campaign-new"),
    path("campaigns/<slug:slug>/settings/", campaigns.campaign_edit, name="campaign-edit"),
    path("campaigns/<slug:slug>/state", campaigns.campaign_state, name="campaign-state"),
    path("campaigns/<slug:slug>/annotations.csv", campaigns.annotations_csv, name="annotations-csv"),
    path("campaigns/<slug:slug>/members/", members.members, name="members"),
    path("campaigns/<slug:slug>/members/<int:membership_id>", members.member_change, name="member-change"),
    path("campaigns/<slug:slug>/members/activity", members.members_activity, name="members-activity"),
    path("campaigns/<slug:slug>/members/<int:membership_id>/leases", members.member_leases, name="member-leases"),
    path("campaigns/<slug:slug>/invitations", invitations.invitation_new, name="invitation-new"),
    path("campaigns/<slug:slug>/invitations/<int:invitation_id>", invitations.invitation_end, name="invitation-end"),
    path("join/<str:token>/", invitations.join, name="join"),
    path("campaigns/<slug:slug>/special-photos/", special_photos.special_photos, name="special-photos"),
    path("campaigns/<slug:slug>/special-photos/choose", special_photos.practice_photos_choose, name="practice-choose"),
    path("campaigns/<slug:slug>/special-photos/<int:image_id>/", special_photos.special_photo, name="special-photo"),
    path(
        "campaigns/<slug:slug>/special-photos/<int:image_id>/requeue",
        special_photos.photo_requeue,
        name="photo-requeue",
    ),
    path("campaigns/<slug:slug>/mine/", own_work.own_work, name="own-work"),
    path("campaigns/<slug:slug>/mine/<int:image_id>/", own_work.own_answer, name="own-answer"),
    path("users/refused/", login.refused_attempts, name="refused-attempts"),
    path("users/refused/<int:row_id>/lift", login.refused_attempt_lift, name="refused-attempt-lift"),
    path("users/", members.users, name="users"),
    path("users/<int:user_id>", members.user_change, name="user-change"),
    path("campaigns/<slug:slug>/import/", imports.import_page, name="import"),
    path("campaigns/<slug:slug>/imports/start", imports.import_start, name="import-start"),
    path("campaigns/<slug:slug>/imports/<int:batch_id>/", imports.import_batch, name="import-batch"),
    path("campaigns/<slug:slug>/imports/<int:batch_id>/file", imports.import_file, name="import-file"),
    path("campaigns/<slug:slug>/imports/<int:batch_id>/finish", imports.import_finish, name="import-finish"),
    path("campaigns/<slug:slug>/imports/<int:batch_id>/discard", imports.import_discard, name="import-discard"),
    path("photos/<int:image_id>/original", photo_files.original, name="photo-original"),
    path("photos/<int:image_id>/thumbnail", photo_files.thumbnail, name="photo-thumbnail"),
]

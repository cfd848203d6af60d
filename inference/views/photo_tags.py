"""The tags of one photo, and the facts about it that the viewer of the gallery shows."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.models import LIVE, Campaign, Image, Role, User
from annotation.selectors.adjudications import predictions_hidden
from annotation.selectors.tags import tag_names, tags_of
from annotation.services.tags import TagError, photos_tag, photos_untag
from inference.gallery.places import Place, gallery_photos
from inference.selectors import champion, class_limits, fits_scale, shown_threshold


@require_POST
@campaign_view(Role.REVIEWER)
def photo_tags(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Give the photo the tag `add`, or take the tag `remove` away. Return its tags as a part of a page."""
    image = row_or_404("photo", Image.objects.filter(LIVE), campaign=campaign, pk=image_id)
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    problem = ""
    try:
        if remove := request.POST.get("remove", ""):
            photos_untag(campaign=campaign, name=remove, image_ids=[image.pk])
        else:
            photos_tag(campaign=campaign, name=request.POST.get("add", ""), image_ids=[image.pk], by=request.user)
    except TagError as error:
        problem = str(error)
    context = {
        "campaign": campaign,
        "image": image,
        "tags": tags_of(image),
        "tag_names": tag_names(campaign),
        "problem": problem,
    }
    return render(request, "inference/_photo_tags.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def photo_facts(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Return the facts about a photo as a part of a page. Predictions of disputed photos are hidden, as elsewhere."""
    image = row_or_404("photo", Image.objects.filter(LIVE), campaign=campaign, pk=image_id)
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    version = champion(campaign)
    shown = version if version and fits_scale(version, campaign) else None
    (photo,) = gallery_photos(shown, [Place(image.pk, 0.0)], predictions_hidden(campaign, request.user), with_tags=True)
    context = {
        "campaign": campaign,
        "photo": photo,
        "image": photo.image,
        "tags": photo.image.tags,
        "tag_names": tag_names(campaign),
        "watch_threshold": shown_threshold(campaign, shown),
        "class_limits": class_limits(campaign, shown),
    }
    return render(request, "inference/_photo_facts.html", context)

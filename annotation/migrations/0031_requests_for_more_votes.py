import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0030_photo_file_name_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="extra_votes",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Of the votes needed: those that a reviewer has asked for (`VoteRequest`).",
            ),
        ),
        migrations.CreateModel(
            name="VoteRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "batch",
                    models.UUIDField(default=uuid.uuid4, help_text="The same for photos that were sent together."),
                ),
                ("votes", models.PositiveSmallIntegerField(help_text="How many votes more than the photo has.")),
                (
                    "added",
                    models.PositiveSmallIntegerField(
                        help_text="By how much the votes needed grew: by more than `votes` when the photo had "
                        "surplus votes."
                    ),
                ),
                ("votes_before", models.PositiveIntegerField(help_text="Votes on the photo at that time.")),
                ("reason", models.CharField(help_text="Why, as text for people.", max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "undone_at",
                    models.DateTimeField(blank=True, help_text="Empty while the votes are wanted.", null=True),
                ),
                (
                    "taken_back",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Votes that nobody had given or begun when the request was undone."
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vote_requests",
                        to="annotation.campaign",
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="vote_requests",
                        to="annotation.image",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["campaign", "-id"], name="vote_request_newest"),
                    models.Index(fields=["batch"], name="vote_request_batch"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("taken_back__lte", models.F("added"))), name="vote_request_back"
                    )
                ],
            },
        ),
    ]

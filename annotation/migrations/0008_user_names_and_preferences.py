"""User names become unique whatever their case and Unicode form, and users get a time zone and a theme."""

import django.contrib.auth.validators
from django.db import migrations, models

import annotation.models.users
from annotation.models.users import name_key, name_normal


def names_made_unique(apps, schema_editor):
    """Store the normal form and the key of each name.

    Of several accounts with the same name, the oldest with the normal form keeps it. The others get a number.
    """
    User = apps.get_model("annotation", "User")
    users = sorted(User.objects.values_list("pk", "username"), key=lambda user: (user[1] != name_normal(user[1]), user))
    taken = {}  # all of them first, so that a name with a number is not that of another account
    for pk, name in users:
        taken.setdefault(name_key(name), pk)
    for pk, name in users:
        new = name_normal(name)[:150]
        number = 1
        while taken.setdefault(name_key(new), pk) != pk:
            number += 1
            new = f"{name_normal(name)[:140]}-{number}"
        if number > 1:
            print(f"\n  The user {name!r} is now {new!r}: another account has this name in another case or form.")
        User.objects.filter(pk=pk).update(username=new, name_key=new)  # the fields store normal form and key


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0007_hourly_use"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="IANA name, for the times on pages. Empty: the time zone of the site.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="user",
            name="theme",
            field=models.CharField(
                blank=True,
                choices=[("", "as this browser has it"), ("light", "light"), ("dark", "dark")],
                default="",
                max_length=5,
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="user",
            name="username",
            field=annotation.models.users.UserNameField(
                error_messages={"unique": "A user with that username already exists."},
                help_text="At most 150 letters, digits and @ . + - _. Case makes no difference.",
                max_length=150,
                unique=True,
                validators=[
                    django.contrib.auth.validators.UnicodeUsernameValidator(),
                    annotation.models.users.name_visible,
                ],
                verbose_name="username",
            ),
        ),
        migrations.AlterModelManagers(
            name="user",
            managers=[
                ("objects", annotation.models.users.Users()),
            ],
        ),
        migrations.AddField(
            model_name="user",
            name="name_key",
            field=annotation.models.users.NameKeyField(editable=False, max_length=600, null=True),
        ),
        migrations.RunPython(names_made_unique, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="user",
            name="name_key",
            field=annotation.models.users.NameKeyField(editable=False, max_length=600, unique=True),
        ),
    ]

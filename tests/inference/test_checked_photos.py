"""A photo that was checked is taken into the campaign when an admin asks for it, by an import."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.models import ApiToken, Campaign, HourlyUse, Image, ImportBatch
from annotation.services.tokens import token_create
from inference.models import ModelVersion
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place
from tests.inference.tiny_versions import BACKBONE, version_of

pytestmark = pytest.mark.django_db
ADDRESS, PAGE = "/api/campaigns/watches/gate", "/campaigns/watches/gate/"
Client = Callable[[str], Any]


@pytest.fixture(autouse=True)
def version(campaign: Campaign, settings: Any, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """Return a champion. Photos are scored and imported as soon as they are sent: no worker runs beside the tests."""
    tiny_models_place(settings.MODELS_ROOT)
    monkeypatch.setattr("inference.api_gate.WAIT_SECONDS", 0.0)  # the photo is scored, or never will be
    for module in ("inference.api_gate", "inference.views.try_model"):
        monkeypatch.setattr(f"{module}.announce", lambda task, *arguments: task(*arguments))
    Campaign.objects.update(backbone=BACKBONE)
    campaign.refresh_from_db()
    return version_of(campaign, 3, champion=True, threshold=0.5)


def checked(client: Any, data: bytes | None = None, *, keep: bool = True) -> Any:
    file = {"file": SimpleUploadedFile("shop/ring.jpg", data or photo_bytes(1))}
    return client.post(f"{ADDRESS}?keep={'true' if keep else 'false'}", file)


def stored(client: Any, ticket: str) -> Any:
    return client.post(f"{ADDRESS}/{ticket}/store")


class TestApi:
    """By a program."""

    @pytest.mark.parametrize(
        ("name", "status"), [("anonymous", 401), ("mallory", 404), ("alice", 403), ("rita", 403), ("ada", 200)]
    )
    def test_only_admins_may_keep_and_store(self, client_of: Client, name: str, status: int) -> None:
        assert checked(client_of(name)).status_code == status
        ticket = checked(client_of("ada")).json()["ticket"]
        answer = stored(client_of(name), ticket)
        assert answer.status_code == status
        assert Image.objects.count() == (status == 200)

    @pytest.mark.parametrize(("scope", "status"), [("annotate", 403), ("admin", 200)])
    def test_a_token_needs_the_scope_admin(
        self, client_of: Client, people: dict[str, Any], scope: str, status: int
    ) -> None:
        _, secret = token_create(user=people["ada"], name="shop", scope=ApiToken.Scope(scope), days=1)
        file = {"file": SimpleUploadedFile("a.jpg", photo_bytes(1))}
        headers = {"Authorization": f"Bearer {secret}"}
        answer = client_of("anonymous").post(f"{ADDRESS}?keep=true", file, headers=headers)
        assert answer.status_code == status

    def test_an_import_of_the_admin_takes_the_photo_once(
        self, campaign: Campaign, client_of: Client, people: dict[str, Any]
    ) -> None:
        answer = checked(client_of("ada")).json()
        assert answer["stored"] is False
        assert not Image.objects.exists()
        first = stored(client_of("ada"), answer["ticket"]).json()
        batch = ImportBatch.objects.get()
        assert first == {"known": False, "photo": None, "import_id": batch.pk}
        assert (batch.state, batch.added, batch.created_by) == ("done", 1, people["ada"])
        image = Image.objects.get()
        assert (image.campaign, image.name, image.role) == (campaign, "ring.jpg", "rated")
        assert HourlyUse.objects.get(kind=HourlyUse.Kind.IMPORTS).amount == 1
        assert stored(client_of("ada"), answer["ticket"]).json() == first
        assert ImportBatch.objects.count() == 1

    def test_a_photo_of_the_campaign_is_known_and_not_imported(self, client_of: Client) -> None:
        stored(client_of("ada"), checked(client_of("ada")).json()["ticket"])
        image = Image.objects.get()
        again = stored(client_of("ada"), checked(client_of("ada")).json()["ticket"]).json()
        assert again == {"known": True, "photo": image.pk, "import_id": None}
        assert ImportBatch.objects.count() == 1

    def test_without_keep_nothing_can_be_stored(self, client_of: Client) -> None:
        answer = checked(client_of("ada"), keep=False).json()
        assert answer["ticket"] is None
        assert stored(client_of("ada"), "0" * 32).status_code == 404

    def test_a_ticket_belongs_to_the_admin_who_checked(self, client_of: Client, people: dict[str, Any]) -> None:
        ticket = checked(client_of("ada")).json()["ticket"]
        people["rita"].memberships.update(role="admin")
        assert stored(client_of("rita"), ticket).status_code == 404
        assert not Image.objects.exists()

    def test_a_photo_that_waits_comes_later(self, client_of: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        # As if all workers were busy: nobody takes the message.
        monkeypatch.setattr("inference.api_gate.announce", lambda *arguments: None)
        waiting = checked(client_of("ada"))
        assert waiting.status_code == 202
        assert stored(client_of("ada"), waiting.json()["ticket"]).status_code == 409

    def test_what_is_no_photo_is_not_kept(self, client_of: Client, settings: Any) -> None:
        assert checked(client_of("ada"), b"Dear Sir or Madam").status_code == 422
        assert not list(settings.UPLOADS_ROOT.rglob("*.kept"))

    def test_imports_have_the_limit_of_an_hour(self, client_of: Client, settings: Any) -> None:
        settings.IQS_IMPORTS_PER_HOUR = 1
        stored(client_of("ada"), checked(client_of("ada")).json()["ticket"])
        ticket = checked(client_of("ada"), photo_bytes(2)).json()["ticket"]
        answer = stored(client_of("ada"), ticket)
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0
        assert Image.objects.count() == 1
        HourlyUse.objects.all().delete()
        assert stored(client_of("ada"), ticket).status_code == 200  # the photo is still there
        assert Image.objects.count() == 2


class TestPage:
    """By the button under a result."""

    def results(self, client: Any) -> tuple[str, list[str]]:
        photos = [SimpleUploadedFile(f"{n}.jpg", photo_bytes(n)) for n in (1, 2)]
        version = ModelVersion.objects.get()
        answer = client.post(PAGE, {"photos": photos, "version": version.pk}, follow=True)
        text = answer.text
        return text, re.findall(r'action="(/campaigns/watches/gate/\w+/\d+/store)"', text)

    def test_only_admins_see_the_button_and_it_is_theirs(self, client_of: Client) -> None:
        assert self.results(client_of("rita"))[1] == []
        _, buttons = self.results(client_of("ada"))
        assert len(buttons) == 2
        for name, status in (("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 403)):
            assert client_of(name).post(buttons[0]).status_code == status
        assert not Image.objects.exists()

    def test_the_photo_under_the_button_is_imported(self, client_of: Client) -> None:
        client = client_of("ada")
        _, buttons = self.results(client)
        answer = client.post(buttons[1], headers={"HX-Request": "true"}).text
        assert "becomes part of the campaign" in answer
        assert Image.objects.get().name == "2.jpg"
        _, again = self.results(client)
        assert "has this photo already" in client.post(again[1], headers={"HX-Request": "true"}).text
        assert client.post(again[1])["Location"] == f"/campaigns/watches/photos/{Image.objects.get().pk}/"

    def test_a_photo_that_is_gone_says_so(self, client_of: Client, settings: Any) -> None:
        client = client_of("ada")
        _, buttons = self.results(client)
        for photo in settings.UPLOADS_ROOT.rglob("*.kept"):
            photo.unlink()
        assert "Check it again" in client.post(buttons[0], headers={"HX-Request": "true"}).text
        assert client.post(buttons[0]).status_code == 302
        assert "Check it again" in client.post(f"{PAGE}{'0' * 32}/0/store", headers={"HX-Request": "true"}).text

"""Simulated annotators on a live server: they log in, lease photos, answer each once, and stop at the right time."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count

from annotation.models import Annotation, Assignment, Campaign, Image, Membership
from iqs_site.demo.annotators import Account, PanelReport, PanelRun, PanelSession, PhotoMeasureCache
from iqs_site.demo.panel import Panel
from iqs_site.demo.site_client import SiteClient, SiteError
from tests.conftest import photo_path

PANEL = Panel()


@pytest.fixture
def accounts(campaign: Campaign, make_user: Callable[..., Any]) -> list[Account]:
    annotators = PANEL.annotators(4)
    for annotator in annotators:
        user = make_user(annotator.username, is_simulated=True)
        Membership.objects.create(campaign=campaign, user=user)
    return [Account(annotator, "pass-word-1") for annotator in annotators]


@pytest.fixture
def run_panel(campaign: Campaign, accounts: list[Account], live_server: Any) -> Callable[..., PanelReport]:
    """Return a function that runs four annotators; keyword arguments change the session."""

    def run(**changes: Any) -> PanelReport:
        session = PanelSession(live_server.url, campaign.slug, truth={}, at_once=3, retry_seconds=120)
        return PanelRun(dataclasses.replace(session, **changes), PANEL, accounts).run()

    return run


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_needed_vote_is_given_once(
    campaign: Campaign, make_image: Callable[..., Image], run_panel: Callable[..., PanelReport]
):
    images = [make_image(seed) for seed in range(5)]

    report = run_panel(truth={images[0].name: True, images[1].name: False}, resend=1.0)

    answers = Annotation.objects.filter(campaign=campaign)
    assert report.answers == report.repeated == answers.count() == 15
    assert sum(report.by_annotator.values()) == 15
    assert set(answers.values("image").annotate(n=Count("pk")).values_list("n", flat=True)) == {3}
    assert answers.values("image", "annotator").distinct().count() == 15
    assert not answers.exclude(viewing={"input": "simulated"}).exists()
    assert not Image.objects.exclude(open_slots=0).exists()
    assert not Assignment.objects.exclude(state="done").exists()
    # The annotators do not know whether the other three photos show a watch.
    assert set(answers.filter(image__in=images[2:]).values_list("watch", flat=True)) == {"unsure"}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_limit_is_not_exceeded_and_unused_leases_are_returned(
    campaign: Campaign, make_image: Callable[..., Image], run_panel: Callable[..., PanelReport]
):
    for seed in range(6):
        make_image(seed)

    report = run_panel(limit=7)

    assert report.answers == Annotation.objects.count() == 7
    assert not Assignment.objects.filter(state="leased").exists()
    assert sum(Image.objects.values_list("open_slots", flat=True)) == 18 - 7


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_same_panel_gives_the_same_answers_again(
    campaign: Campaign, make_image: Callable[..., Image], run_panel: Callable[..., PanelReport], live_server: Any
):
    image = make_image(1, votes_needed=4, open_slots=4)
    run_panel()

    data = photo_path(image).read_bytes()
    digest, measures = PhotoMeasureCache().measure(data)
    for annotator in PANEL.annotators(4):
        stored = Annotation.objects.get(annotator__username=annotator.username)
        answer = PANEL.answer(annotator, measures, digest, watch=None)
        assert (stored.score, stored.watch, stored.milliseconds) == (answer.score, answer.watch, answer.milliseconds)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_annotators_wait_for_a_locked_photo(
    make_image: Callable[..., Image], run_panel: Callable[..., PanelReport], live_server: Any
):
    image = make_image(1, votes_needed=4, open_slots=4)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Image.objects.select_for_update().get(pk=image.pk)
            report = pool.submit(run_panel)
            wait([report], timeout=5)  # longer than an annotator retries when the queue is empty
            assert not report.done()
        assert report.result().answers == 4


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_and_an_unknown_campaign_raise_a_clear_error(
    campaign: Campaign, accounts: list[Account], run_panel: Callable[..., PanelReport], live_server: Any
):
    with pytest.raises(SiteError, match="sim-01 could not log in"):
        SiteClient(live_server.url, "sim-01", "wrong")
    with pytest.raises(SiteError, match=r"POST /api/campaigns/none/leases as sim-0\d answered 404"):
        run_panel(slug="none")


@pytest.fixture
def failing_site() -> Iterator[tuple[str, list[str]]]:
    """Serve a login page, and POST requests that fail twice and then succeed; yield (url, bodies of the requests)."""
    bodies: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _send(self, status: int, body: bytes = b"{}") -> None:
            self.send_response(status)
            for cookie in ("csrftoken=abc; Path=/", "sessionid=def; Path=/"):
                self.send_header("Set-Cookie", cookie)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._send(200)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            if "login" in self.path:
                self._send(302)
                return
            bodies.append(sent.decode())
            if len(bodies) == 1:
                self.connection.close()  # the response is lost
            elif len(bodies) == 2:
                self._send(503, b"later")
            else:
                self._send(200, b'{"created": false}')

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()
    server.server_close()


def test_an_answer_without_a_response_is_sent_again_unchanged(failing_site: tuple[str, list[str]]):
    url, bodies = failing_site
    client_id = str(uuid.uuid4())
    with SiteClient(url, "sim-01", "word", retry_seconds=120) as client:
        answer = client.post_json("/annotations", {"client_id": client_id})

    assert answer == {"created": False}
    assert client.retries == 2
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert client_id in bodies[0]


def test_a_failed_request_is_not_retried_after_the_time_limit(failing_site: tuple[str, list[str]]):
    url, _bodies = failing_site
    with (
        SiteClient(url, "sim-01", "word", retry_seconds=0) as client,
        pytest.raises(SiteError, match="POST /annotations as sim-01 answered RemoteProtocolError"),
    ):
        client.post_json("/annotations", {})


def test_bytes_that_are_not_a_photo_are_refused():
    with pytest.raises(SiteError, match="not a photo"):
        PhotoMeasureCache().measure(b"<html>")

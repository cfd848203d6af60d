"""A photo that harms its decoding process is refused, and nothing else suffers."""

import io
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

from annotation.photos import sandbox as sandbox_module
from annotation.photos.decoding import PhotoRejected, photo_inspect
from annotation.photos.decoding_cost import MEGABYTE
from annotation.photos.sandbox import Sandbox, SandboxError, SandboxLimits
from annotation.photos.sandboxed_inspection import photo_inspect_apart
from tests.annotation.bad_files import BAD, encoded, scene
from tests.annotation.photos.costly_files import flat_png, gif_of_frames, jpeg_of_scans

HERE = "tests.annotation.photos.misbehaving"
FEW = 64 * MEGABYTE


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setattr(sandbox_module, "_PATIENCE", 120)  # on a busy machine, six seconds may not be enough
    made = Sandbox(SandboxLimits(max_bytes=FEW, seconds=1, processes=2))
    yield made
    made.close()


def is_working(sandbox: Sandbox) -> bool:
    result, parts = sandbox.call(f"{HERE}:echo", {"one": 1}, [b"two", b""])
    return (result["arguments"], parts) == ({"one": 1}, [b"two", b""])


def test_a_process_answers_one_request_after_another(sandbox: Sandbox) -> None:
    pids = {sandbox.call(f"{HERE}:echo", {})[0]["pid"] for _ in range(5)}
    assert len(pids) == 1
    assert pids.isdisjoint({os.getpid()})
    with pytest.raises(PhotoRejected, match=r"^No photo\.$"):
        sandbox.call(f"{HERE}:refuse", {})
    assert {sandbox.call(f"{HERE}:echo", {})[0]["pid"]} == pids


@pytest.mark.parametrize("size", [0, 1, 70_000, 5_000_000])
def test_parts_of_every_size_arrive_unchanged(sandbox: Sandbox, size: int) -> None:
    data = os.urandom(size)
    assert sandbox.call(f"{HERE}:echo", {}, [data, b"end"])[1] == [data, b"end"]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("loop", r"takes longer than the allowed 1 s"),
        ("crash", rf"stopped at this file \(signal {signal.SIGSEGV:d}\)"),
        ("send_nonsense", "stopped at this file"),
        ("missing", "cannot be decoded"),
    ],
)
def test_a_photo_that_harms_its_process_is_refused_alone(sandbox: Sandbox, function: str, reason: str) -> None:
    with pytest.raises(PhotoRejected, match=reason):
        sandbox.call(f"{HERE}:{function}", {})
    assert is_working(sandbox)


def test_a_process_that_hangs_is_killed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_working(sandbox)
    with monkeypatch.context() as impatient:
        impatient.setattr(sandbox_module, "_PATIENCE", 0.3)  # otherwise this test would wait for minutes
        with pytest.raises(PhotoRejected, match="takes longer"):
            sandbox.call(f"{HERE}:hang", {})
    assert is_working(sandbox)


def test_memory_is_limited(sandbox: Sandbox) -> None:
    assert sandbox.call(f"{HERE}:fill_memory", {"size": FEW})[0] == {"size": FEW}
    with pytest.raises(PhotoRejected, match="needs more than the allowed 64 MB of memory"):
        sandbox.call(f"{HERE}:fill_memory", {"size": 512 * MEGABYTE})
    assert is_working(sandbox)


def test_a_process_that_died_while_idle_costs_no_photo(sandbox: Sandbox) -> None:
    assert is_working(sandbox)
    (pid,) = sandbox.pids()
    os.kill(pid, signal.SIGKILL)
    assert is_working(sandbox)


def test_processes_see_no_secrets_and_write_no_files(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    seen, _ = sandbox.call(f"{HERE}:environment", {})
    assert "secret" not in str(seen)
    with pytest.raises((PhotoRejected, OSError)):
        sandbox.call(f"{HERE}:write_file", {"path": str(tmp_path / "written")})
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_bytes()


def test_what_a_decoder_prints_is_no_answer(sandbox: Sandbox) -> None:
    assert sandbox.call(f"{HERE}:print_much", {})[0] == {"printed": True}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_the_end_of_a_worker_do_not_refuse_a_photo(sandbox: Sandbox, number: int) -> None:
    first = sandbox.call(f"{HERE}:echo", {})[0]["pid"]
    os.kill(first, number)
    assert sandbox.call(f"{HERE}:echo", {})[0]["pid"] == first


def test_processes_end_with_the_sandbox(sandbox: Sandbox) -> None:
    pid = sandbox.call(f"{HERE}:echo", {})[0]["pid"]
    sandbox.close()
    assert not psutil.pid_exists(pid)


def test_a_process_ends_when_its_input_ends(sandbox: Sandbox) -> None:
    """So it ends after its worker was killed."""
    assert is_working(sandbox)
    (child,) = sandbox._idle
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.process.wait(timeout=60) == 0


def test_a_program_that_cannot_start_is_no_fault_of_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "_ROOT", Path("/"))  # where there is no such module
    broken = Sandbox(SandboxLimits(max_bytes=FEW, seconds=1, processes=1))
    with pytest.raises(SandboxError, match="does not start"):
        broken.call(f"{HERE}:echo", {})


def test_few_photos_are_decoded_at_a_time_and_all_threads_get_their_answer(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        pids = set(pool.map(lambda _: sandbox.call(f"{HERE}:echo", {})[0]["pid"], range(40)))
    assert 1 <= len(pids) <= 2


def test_reserved_memory_is_given_back(sandbox: Sandbox) -> None:
    for _ in range(3):
        assert sandbox.call(f"{HERE}:take", {"size": 10 * FEW})[0] == {"done": True}
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: sandbox.call(f"{HERE}:take", {"size": FEW})[0], range(8)))
    assert done == [{"done": True}] * 8


# --- photos -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def usual() -> Iterator[Sandbox]:
    made = Sandbox(SandboxLimits(processes=1))
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"])
def test_inspection_gives_the_same_as_in_this_process(usual: Sandbox, kind: str) -> None:
    data = encoded(scene(2, 700, 500), kind)
    assert photo_inspect_apart(data, sandbox=usual, max_pixels=10**6) == photo_inspect(data, max_pixels=10**6)


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_rejected_with_the_same_reason(usual: Sandbox, name: str) -> None:
    data, reason = BAD[name]
    with pytest.raises(PhotoRejected, match=reason):
        photo_inspect_apart(data, sandbox=usual, max_pixels=10**6)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (flat_png(11_000, 10_800), "needs more than the allowed 1,536 MB of memory: about 2,7"),
        (jpeg_of_scans(8_000, 2000, 2000), "has 8,000 scans. At most 100"),
        (gif_of_frames(200_000), "animated"),
    ],
)
def test_costly_files_are_refused_before_they_are_decoded(usual: Sandbox, data: bytes, reason: str) -> None:
    assert len(data) < 20 * MEGABYTE
    with pytest.raises(PhotoRejected, match=reason):
        photo_inspect_apart(data, sandbox=usual, max_pixels=120_000_000)
    assert usual.pids(), "the process survived, because nothing was decoded"


def test_an_ordinary_photo_of_100_megapixels_passes(usual: Sandbox) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (11_600, 8_650), (90, 120, 60)).save(buffer, "JPEG", quality=60)
    facts = photo_inspect_apart(buffer.getvalue(), sandbox=usual, max_pixels=120_000_000)
    assert (facts.width, facts.height) == (11_600, 8_650)

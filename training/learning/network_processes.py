"""Several processes train one network together: torchrun starts them, and they share each batch.

`python -m torch.distributed.run … -m training.learning.network_processes FOLDER` works on the job in a folder.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import distributed

from annotation.files.whole_file import whole_file
from inference.networks.backbones import backbone_load
from inference.networks.config import RANDOM, backbone_config
from inference.networks.heads import Heads, HeadsConfig
from training.learning.checkpoints import Checkpoints
from training.learning.network_training import NetworkJob, NetworkReport, Place, TrainedNetwork, network_train
from training.learning.photo_pixels import Compute, PhotoPixels
from training.learning.recipe import History
from training.learning.whole_network_config import WholeNetworkConfig

_JOB, _PROGRESS, _RESULT, _LOG, _ERROR = "job.pt", "progress.json", "result.pt", "log.txt", "error-"
_POLL_SECONDS = 0.2
_STOP_SECONDS = 10
_LOG_LINES = 8


class ProcessesError(RuntimeError):
    """The processes failed; the message says why."""


def place_alone(device: str) -> Place:
    """Return where one process computes: "cpu", "cuda", or "auto", which is cuda if there is one."""
    return Place(device=torch.device("cuda" if _has_cuda(device) else "cpu"))


def train_in_processes(job: NetworkJob, *, checkpoints: Checkpoints | None, report: NetworkReport) -> TrainedNetwork:
    """Do what `network_train` does in `job.photos.compute.processes` processes.

    The result is that of one process but for rounding. When `report` raises, or this process ends, they stop too.
    Raises ProcessesError.
    """
    compute = job.photos.compute
    with tempfile.TemporaryDirectory(prefix="iqs-network-") as name:
        folder = Path(name)
        _job_write(folder, job, checkpoints)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={compute.processes}", "-m", __name__, name]
        environment = os.environ | {"OMP_NUM_THREADS": str(compute.threads)}
        root = Path(__file__).resolve().parent.parent.parent
        with (folder / _LOG).open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=root
            )
        try:
            _follow(process, folder, report)
        finally:
            _stop(process)
        if process.returncode or not (folder / _RESULT).exists():
            raise ProcessesError(_why(folder))
        stored = torch.load(folder / _RESULT, weights_only=True)
    return TrainedNetwork(**stored)


def _follow(process: "subprocess.Popen[bytes]", folder: Path, report: NetworkReport) -> None:
    """Pass the progress on until the processes have ended."""
    progress: tuple[float, str, History] = (0.0, "Starting the processes", [])
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        if (folder / _PROGRESS).exists():
            progress = json.loads((folder / _PROGRESS).read_text())
        report(*progress)


def _why(folder: Path) -> str:
    """Return why the processes failed: the first error of one of them, otherwise the end of what torchrun wrote."""
    errors = sorted(folder.glob(f"{_ERROR}*"), key=lambda path: path.stat().st_mtime_ns)
    if errors:
        return f"The processes that train the network failed. {errors[0].read_text()}"
    lines = (folder / _LOG).read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(["The processes that train the network failed:", *lines])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Let torchrun stop its processes, if they have not ended."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()  # the others see that this process has gone on
        process.wait()


def _job_write(folder: Path, job: NetworkJob, checkpoints: Checkpoints | None) -> None:
    backbone = job.photos.backbone
    described = {
        "backbone": backbone.base,
        "input_size": backbone.input_size,
        "photos": str(job.photos.file),
        "compute": asdict(job.photos.compute),
        "heads": job.heads.config.as_card(),
        "config": asdict(job.config),
        "seed": job.seed,
        "checkpoints": [str(checkpoints.folder), checkpoints.fingerprint] if checkpoints else None,
        "parent": os.getpid(),
    }
    arrays = {"rows": job.photos.rows, "histograms": job.histograms, "learned": job.learned}
    arrays |= {"choosing": job.choosing, "classes": job.classes}
    torch.save(
        {
            "described": json.dumps(described),
            "arrays": {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()},
            "network": job.network.state_dict(),
            "head": job.heads.state_dict(),
        },
        folder / _JOB,
    )


def _job_read(folder: Path) -> tuple[NetworkJob, Checkpoints | None, int]:
    """Return the job, its checkpoints, and the id of the process that waits for the result."""
    stored = torch.load(folder / _JOB, weights_only=True)
    described: dict[str, Any] = json.loads(stored["described"])
    arrays = {name: tensor.numpy() for name, tensor in stored["arrays"].items()}
    # The weights are in the job, so the network needs none of its own.
    backbone = replace(backbone_config(described["backbone"], weights=RANDOM), input_size=described["input_size"])
    network = backbone_load(backbone)
    network.load_state_dict(stored["network"])
    config = HeadsConfig.from_card(described["heads"])
    classifier = None if config.classes else (stored["head"]["class_weight"], stored["head"]["class_bias"])
    heads = Heads(config, classifier)
    heads.load_state_dict(stored["head"])
    photos = PhotoPixels(Path(described["photos"]), arrays["rows"], backbone, Compute(**described["compute"]))
    job = NetworkJob(
        network=network,
        heads=heads.eval(),
        photos=photos,
        histograms=arrays["histograms"],
        learned=arrays["learned"],
        choosing=arrays["choosing"],
        classes=arrays["classes"],
        config=WholeNetworkConfig(**described["config"]),
        seed=described["seed"],
    )
    kept = described["checkpoints"]
    return job, Checkpoints(Path(kept[0]), kept[1]) if kept else None, described["parent"]


def _work(folder: Path) -> None:
    """Work as one of the processes."""
    job, checkpoints, parent = _job_read(folder)
    compute = job.photos.compute
    torch.set_num_threads(compute.threads)
    rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    has_cuda = _has_cuda(compute.device) and torch.cuda.device_count() >= count
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if has_cuda else torch.device("cpu")
    distributed.init_process_group("nccl" if has_cuda else "gloo")

    def report(share: float, text: str, history: History) -> None:
        os.kill(parent, 0)  # raises if the process that waits has gone, so that nobody works for nothing
        if rank == 0:
            with whole_file(folder / _PROGRESS, "w", durable=False) as file:
                json.dump([share, text, history], file)

    trained = network_train(job, checkpoints=checkpoints, report=report, place=Place(rank, count, device))
    if rank == 0:
        with whole_file(folder / _RESULT) as file:
            torch.save({"state": trained.state, "epoch": trained.epoch, "history": trained.history}, file)
    distributed.destroy_process_group()


def _has_cuda(device: str) -> bool:
    return device != "cpu" and torch.cuda.is_available()


if __name__ == "__main__":
    try:
        _work(Path(sys.argv[1]))
    except Exception as error:
        (Path(sys.argv[1]) / f"{_ERROR}{os.environ['RANK']}").write_text(f"{type(error).__name__}: {error}")
        raise

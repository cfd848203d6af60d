"""`manage.py simulate --data DIR --out DIR`: replay ways to choose photos on a folder whose answers are known."""

import json
import math
import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.files.whole_file import whole_file
from annotation.management.progress import progress_report
from annotation.photos.rejected import PhotoRejected
from inference.acquisition.registry import STRATEGIES
from inference.management.options import share, whole_number
from inference.networks.config import BackboneConfig, WeightsMissing
from inference.scoring.predictor import Backbone, DeviceMissing
from inference.serving import runtime
from training.simulation.curves import answers_needed, curve_of
from training.simulation.defaults import MIXTURES, VOTES_PER_PHOTO, budgets_for
from training.simulation.experiment import Experiment, experiment_run
from training.simulation.features import Features, features_extract, features_kept
from training.simulation.folder import FolderTable, FolderUnusable, folder_read
from training.simulation.mixture import MixtureWrong, mixture_read
from training.simulation.raters import PanelUnusable, RaterPanel
from training.simulation.ratings import QUALITY, Layout, Ratings
from training.simulation.replay import Plan, Replay
from training.simulation.report import DECIDES, level_of, report_html, report_json


class Command(BaseCommand):
    help = (
        "Replay ways to choose photos on a folder whose answers are known, with other photos and votes each time, and "
        "write a report. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--data",
            type=Path,
            required=True,
            metavar="DIR",
            help="Folder with photos/, photos.csv (file,group) and votes.csv (annotator,file,score), or with photos "
            "and a photos.csv (file,watch) in it or beside it.",
        )
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="Folder for report.html and report.json."
        )
        parser.add_argument(
            "--mixtures",
            nargs="+",
            metavar="MIXTURE",
            help="Ways to choose photos, such as random, watch_margin:0.8,random:0.2 or, with a start and a name, "
            "'ours=typical_first@20>watch_margin'. Strategies: " + ", ".join(STRATEGIES) + ".",
        )
        parser.add_argument(
            "--budgets", type=numbers, metavar="N,N,…", help="Answers after which the model is measured."
        )
        parser.add_argument(
            "--seeds", type=whole_number, default=10, metavar="N", help="Campaigns of each kind. Default: %(default)s."
        )
        parser.add_argument(
            "--clicks",
            type=shares,
            default=(0.0,),
            metavar="X,X,…",
            help="Shares of votes that are random clicks, for example 0,0.05,0.1. Default: 0.",
        )
        parser.add_argument(
            "--votes-per-photo",
            type=whole_number,
            metavar="N",
            help="At most so many votes on a photo. Default: "
            + ", ".join(f"{number} for {task}" for task, number in VOTES_PER_PHOTO.items())
            + ".",
        )
        parser.add_argument(
            "--raters",
            type=Path,
            metavar="JSON",
            help="Let simulated annotators give the scores, as `fit_raters` wrote them. Default: the folder's votes.",
        )
        parser.add_argument(
            "--processes",
            type=whole_number,
            default=max(1, (os.cpu_count() or 2) - 1),
            metavar="N",
            help="Campaigns at the same time. Default: %(default)s, one less than this machine has cores.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            table = folder_read(options["data"].expanduser().resolve())
            mixtures = [mixture_read(text, STRATEGIES) for text in options["mixtures"] or MIXTURES[table.task]]
            panel = panel_read(options["raters"])
            ratings = self._ratings(table, panel)
        except (FolderUnusable, MixtureWrong, PanelUnusable) as error:
            raise CommandError(f"{error}.") from error
        except (PhotoRejected, WeightsMissing, DeviceMissing, OSError) as error:
            raise CommandError(str(error)) from error
        most = options["votes_per_photo"] or VOTES_PER_PHOTO[table.task]
        experiment = Experiment(
            tuple(mixtures),
            Plan(options["budgets"] or budgets_for(ratings, votes_per_photo=most), most),
            tuple(range(options["seeds"])),
            options["clicks"],
        )
        try:
            replays = experiment_run(
                ratings,
                experiment,
                processes=options["processes"],
                progress=progress_report(self.stderr, "campaigns"),
            )
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Nothing was written.", returncode=130) from None
        self._write(options["out"].expanduser(), ratings, experiment, replays)

    def _ratings(self, table: FolderTable, panel: RaterPanel | None) -> Ratings:
        config = runtime.backbone_chosen()

        def extract(files: Sequence[Path]) -> Features:
            network = Backbone(runtime.backbone_file(config), threads=settings.IQS_THREADS, device=settings.IQS_DEVICE)
            return features_extract(network, files, progress_report(self.stderr, "photos"))

        kept = Path(settings.MODELS_ROOT) / "simulation"
        return table.ratings(
            lambda files: features_kept(kept, config.key(), files, extract), layout_of(config), panel=panel
        )

    def _write(self, folder: Path, ratings: Ratings, experiment: Experiment, replays: list[Replay]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / "report.html", "w") as file:
            file.write(report_html(ratings, experiment, replays))
        with whole_file(folder / "report.json", "w") as file:
            json.dump(report_json(ratings, experiment, replays), file, indent=1)
        figure = DECIDES[ratings.task][0]
        self.stdout.write(f"{ratings.source[0].upper()}{ratings.source[1:]}.")
        for clicks in experiment.clicks:
            level = level_of(ratings, experiment, replays, clicks)
            what = "95 % of the SRCC with all votes" if ratings.task == QUALITY else "the best F1 of the baseline"
            self.stdout.write(f"{clicks:.0%} random clicks; answers for {what}, {level:.3f}:")
            for mixture in experiment.mixtures:
                needed = answers_needed(curve_of(replays, mixture.label, figure, clicks), level)
                reached = "not reached" if math.isnan(needed.value) else f"{needed.value:,.0f}"
                self.stdout.write(f"  {mixture.label}: {reached}")
        self.stdout.write(f"Report: {folder / 'report.html'}")


def panel_read(path: Path | None) -> RaterPanel | None:
    """Return the simulated annotators of a file of `fit_raters`. Raises CommandError with the reason."""
    if path is None:
        return None
    try:
        return RaterPanel.from_json(json.loads(path.expanduser().read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}.") from error


def layout_of(config: BackboneConfig) -> Layout:
    """Return where the parts of the network's features are."""
    return Layout(config.pooled_start, config.pooled_stop, config.second_size)


def numbers(text: str) -> tuple[int, ...]:
    """Read ascending whole numbers, separated by commas."""
    found = tuple(whole_number(part.strip()) for part in text.split(","))
    if list(found) != sorted(set(found)):
        raise ArgumentTypeError(f"{text!r}: the numbers must rise")
    return found


def shares(text: str) -> tuple[float, ...]:
    """Read numbers from 0 to 1, separated by commas."""
    return tuple(dict.fromkeys(share(part.strip()) for part in text.split(",")))

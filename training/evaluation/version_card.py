"""The card of a model version as Markdown. Pure: the card is JSON values (`training.selectors.version_cards`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Card = Mapping[str, Any]


def card_markdown(card: Card) -> str:
    """Return the card as Markdown. Parts that the card does not have are left out."""
    parts = [_head(card), *_note(card), _learned_from(card), _holdout(card), _settings(card), _lineage(card)]
    if "outputs" in card:
        parts.append(_use(card))
    return "\n\n".join(parts) + "\n"


def _head(card: Card) -> str:
    champion = " It is the champion of the campaign." if card["is_champion"] else ""
    return (
        f"# Card of {_text(card['name'])}\n\n"
        f"Version {card['version']} of the campaign “{_text(card['campaign'])}”, made on {card['made']}.{champion} It "
        "predicts for a photo whether it shows a watch, and which scores people give it for its quality."
    )


def _note(card: Card) -> Iterator[str]:
    if card["note"]:
        yield "## Note\n\n" + "\n".join(f"> {_text(line)}" for line in card["note"].splitlines())


def _learned_from(card: Card) -> str:
    learned = card["learned_from"]
    if "about" in learned:
        return f"## Data\n\n{_text(learned['about'])}"
    lines = [f"{_count(learned['votes'])} votes on {_count(learned['photos'])} photos"]
    if learned.get("watch_labels") is not None:
        lines.append(f"{_count(learned['watch_labels'])} watch labels")
    if learned.get("first_answer"):
        lines.append(f"given from {learned['first_answer']} to {learned['last_answer']}")
    recipe = f" Recipe: {_text(learned['recipe'])}." if learned.get("recipe") else ""
    digest = learned["data_fingerprint"]
    fingerprint = f" Fingerprint of the answers: `{digest}`." if digest else ""
    return f"## Data\n\nThe heads learned from {', '.join(lines)}.{recipe}{fingerprint}"


def _holdout(card: Card) -> str:
    holdout = card["holdout"]
    if holdout is None:
        return "## Figures\n\nIt has not been measured on the holdout."
    head = (
        f"## Figures\n\nMeasured on {holdout['measured']} on {_count(holdout['photos'])} holdout photos with "
        f"{_count(holdout['votes'])} votes, which it has not learned from and which were given without seeing a "
        "prediction. 95 % intervals by bootstrap over groups of near-duplicates."
    )
    if holdout["changed_since"]:
        head += f" {holdout['changed_since']}."
    rows = [
        f"| {one['label']}{', in ' + one['unit'] if one['unit'] else ''} | {one['text']} | {_count(one['n'])} | "
        f"{one['explanation']} |"
        for one in holdout["figures"]
    ]
    return "\n".join([head, "", "| figure | value | n photos | meaning |", "|---|---|---|---|", *rows])


def _settings(card: Card) -> str:
    scale, watch, backbone = card["scale"], card["watch"], card["backbone"]
    classes = ", ".join(f"{_text(name)} ({number})" for number, name in watch["classes"].items())
    return "\n".join(
        [
            "## Settings",
            "",
            f"* Scale: {scale['lowest']} … {scale['highest']}.",
            f"* Classes: a mean opinion score up to {scale['reject_at']:g} is rejected, up to {scale['pending_at']:g} "
            "pending, above accepted. Predicted means are less spread, so their limits are "
            f"{scale['predicted_reject_at']:.4g} and {scale['predicted_pending_at']:.4g}.",
            f"* Watch: a probability above {watch['threshold']:g}. ImageNet classes that count: "
            f"{classes or 'unknown'}.",
            f"* Backbone: {_text(backbone['name'])}, {backbone['precision']}, `{_text(backbone['key'])}`.",
            f"* Licence of the backbone's weights: {_text(backbone['licence'])}. The heads belong to whoever runs the "
            "campaign.",
        ]
    )


def _lineage(card: Card) -> str:
    lineage = card["lineage"]
    lines = []
    if lineage["run"] is not None:
        began = f" It began with the heads of version {lineage['parent']}." if lineage["parent"] else ""
        lines.append(f"* Made by training run {lineage['run']} with the seed {lineage['seed']}.{began}")
    if lineage["compared_with"] is not None:
        lines.append(f"* Compared with version {lineage['compared_with']}, the champion of that time.")
    if lineage["became_champion"]:
        lines.append(f"* Became champion on {', '.join(lineage['became_champion'])}.")
    return "\n".join(["## Lineage", "", *(lines or ["* It was installed with IQS."])])


def _use(card: Card) -> str:
    agreement = card["agreement"]
    outputs = [
        f"| `{name}` | {_text(one['shape'])} | {_text(one['meaning'])} |" for name, one in card["outputs"].items()
    ]
    if agreement["photos"]:
        measured = (
            f"On {agreement['photos']} photos of the campaign, the means of this file in ONNX Runtime differ by at "
            f"most {agreement['mean_most']:.2g} from those in IQS ({agreement['mean_average']:.2g} on average), and "
            f"the watch probabilities by at most {agreement['watch_most']:.2g}."
        )
    else:
        measured = "No photo of the campaign was at hand to compare the scores of this file with those in IQS."
    return "\n".join(
        [
            "## Use",
            "",
            f"`model.onnx` takes `{card['input']['name']}`: {_text(card['input']['meaning'])}",
            "",
            "| output | shape | meaning |",
            "|---|---|---|",
            *outputs,
            "",
            f"{_text(card['precision_reason'])} {measured}",
            "",
            "`example_onnxruntime.py` and `example_opencv.py` score photos with ONNX Runtime and OpenCV 5.0 or newer. "
            "With int8, OpenCV 5.0 needs the environment variable `OPENCV_CPU_DISABLE=AVX_VNNI`, as in the example.",
        ]
    )


def _count(number: int | None) -> str:
    return "an unknown number of" if number is None else f"{number:,}"


def _text(value: Any) -> str:
    """Return a text with the signs of Markdown and HTML escaped, so that a name cannot change the page."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", str(value)).replace("\n", " ")

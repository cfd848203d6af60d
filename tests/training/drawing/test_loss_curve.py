"""The drawing and the title of the loss curve."""

from xml.etree import ElementTree

from training.drawing.loss_curve import LossCurve, loss_curve

NAMESPACE = "{http://www.w3.org/2000/svg}"


def points(curve: LossCurve, kind: str) -> list[tuple[float, float]]:
    line = next(
        one for one in ElementTree.fromstring(curve.drawing).iter(f"{NAMESPACE}polyline") if one.get("class") == kind
    )
    return [tuple(float(number) for number in point.split(",")) for point in line.get("points", "").split()]  # type: ignore[misc]


def texts(curve: LossCurve) -> list[str]:
    return [one.text or "" for one in ElementTree.fromstring(curve.drawing).iter(f"{NAMESPACE}text")]


def test_a_falling_loss_is_drawn_downwards_and_the_title_describes_it() -> None:
    history = [{"epoch": e, "train": 0.1 - 0.01 * e, "validation": 0.2 - 0.02 * e + (e == 5) * 0.1} for e in range(6)]
    curve = loss_curve(history)
    assert curve is not None
    assert curve.title == "Validation loss fell by 40%, lowest at epoch 4"
    validation = points(curve, "validation")
    assert [x for x, _ in validation] == sorted(x for x, _ in validation)
    assert validation[4][1] > validation[0][1]  # y grows downwards
    root = ElementTree.fromstring(curve.drawing)
    best = next(root.iter(f"{NAMESPACE}circle"))
    assert (best.get("cx"), float(best.get("cy", 0))) == (f"{validation[4][0]:.0f}%", validation[4][1])
    height = float(root.get("height", 0))
    assert all(0 <= x <= 100 and 0 <= y <= height for x, y in validation + points(curve, "train"))
    assert texts(curve)[-7:] == ["0", "1", "2", "3", "4", "5", "epoch"]


def test_the_title_says_when_the_loss_did_not_fall() -> None:
    flat = [{"epoch": e, "train": 0.1, "validation": 0.1} for e in range(3)]
    curve = loss_curve(flat)
    assert curve is not None
    assert curve.title == "Validation loss did not fall"


def test_a_loss_that_hardly_changes_looks_flat_and_has_short_labels() -> None:
    curve = loss_curve([{"epoch": e, "train": 0.1, "validation": 0.1 + e * 1e-7} for e in range(3)])
    assert curve is not None
    heights = [y for _, y in points(curve, "train") + points(curve, "validation")]
    assert max(heights) - min(heights) < 1
    assert max(len(text) for text in texts(curve)) <= 6


def test_a_loss_that_is_not_finite_is_left_out() -> None:
    history = [{"epoch": e, "train": 0.1, "validation": 0.2 - 0.01 * e} for e in range(3)]
    curve = loss_curve([*history, {"epoch": 3, "train": float("nan"), "validation": 0.1}])
    assert curve == loss_curve(history)


def test_one_epoch_gives_no_curve() -> None:
    assert loss_curve([]) is None
    assert loss_curve([{"epoch": 0, "train": 1.0, "validation": 1.0}]) is None

"""The loss curve says what it shows."""

from training.drawing.loss_curve import HEIGHT, WIDTH, loss_curve


def points(line: str) -> list[tuple[float, float]]:
    return [tuple(float(number) for number in point.split(",")) for point in line.split()]  # type: ignore[misc]


def test_a_falling_loss_is_drawn_downwards_and_named() -> None:
    history = [{"epoch": e, "train": 0.1 - 0.01 * e, "validation": 0.2 - 0.02 * e + (e == 5) * 0.1} for e in range(6)]
    curve = loss_curve(history)
    assert curve is not None
    assert curve.title == "Validation loss fell by 40%, lowest at epoch 4"
    validation = points(curve.validation)
    assert [x for x, _ in validation] == sorted(x for x, _ in validation)
    assert validation[4][1] > validation[0][1]  # downwards is a larger y
    assert (curve.best_x, curve.best_y) == validation[4]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in validation + points(curve.train))
    assert [tick.text for tick in curve.epochs] == ["0", "1", "2", "3", "4", "5"]


def test_without_a_gain_the_title_says_so() -> None:
    flat = [{"epoch": e, "train": 0.1, "validation": 0.1} for e in range(3)]
    curve = loss_curve(flat)
    assert curve is not None
    assert curve.title == "Validation loss has not fallen"


def test_one_epoch_is_no_curve() -> None:
    assert loss_curve([]) is None
    assert loss_curve([{"epoch": 0, "train": 1.0, "validation": 1.0}]) is None

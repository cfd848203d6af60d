"""The order in which the lanes of a queue probably hand out their photos.

A claim draws its lane at random by the shares, so nobody knows the order. The likely one gives each lane its share from
the first photos on, as smooth weighted round-robin does: each turn adds its share to every lane, and the lane with the
highest sum hands out a photo and pays one.
"""

from collections.abc import Mapping
from math import comb


def lanes_in_turn(shares: Mapping[str, float], photos: Mapping[str, int], count: int, *, rest: str) -> list[str]:
    """Return the lanes of the next `count` photos, fewer when no lane has more.

    shares: above 0, of sum 1; photos: how many each lane has. A lane without photos leaves its turns to the lane
    `rest`, as a claim does.
    """
    left = dict(photos)
    sums = dict.fromkeys(shares, 0.0)
    order: list[str] = []
    while len(order) < count:
        sums = {lane: total + shares[lane] for lane, total in sums.items()}
        drawn = max(sums, key=lambda lane: (sums[lane], shares[lane]))
        sums[drawn] -= 1
        lane = drawn if left.get(drawn, 0) > 0 else rest
        if left.get(lane, 0) <= 0:
            sums.pop(drawn)
            if not any(left.get(one, 0) for one in (*sums, rest)) or not sums:
                break
            continue
        left[lane] -= 1
        order.append(lane)
    return order


def chance_within(draws: int, share: float, place: int) -> float:
    """Return the probability that a lane hands out its photo at this place (1 for the first) within so many draws.

    Every draw takes the lane with probability `share`, so it is that of at least `place` hits of a binomial.
    """
    fewer = sum(
        comb(draws, hits) * share**hits * (1 - share) ** (draws - hits) for hits in range(min(place, draws + 1))
    )
    return min(max(1 - fewer, 0.0), 1.0)


def chance_at_random(draws: int, share: float, photos: int) -> float:
    """Return the probability that one of `photos` (1 or more) is drawn at random within so many draws of all lanes."""
    return 1 - (1 - share / photos) ** draws

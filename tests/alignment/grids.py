"""Small grids a person can check by eye, and the search through all their plans."""

import itertools

import numpy as np
import pandas as pd

from territory_lab.alignment import Problem


def grid(rows: int, columns: int) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """Units ``u<row><column>`` one km apart with ``w`` 1, and the pairs that share a side."""
    cells = list(itertools.product(range(rows), range(columns)))
    units = pd.DataFrame(
        {"x_km": [float(c) for _, c in cells], "y_km": [float(r) for r, _ in cells], "w": 1.0},
        index=pd.Index([f"u{r}{c}" for r, c in cells], name="unit_id"),
    )
    pairs = [(f"u{r}{c}", f"u{r}{c + 1}") for r, c in cells if c + 1 < columns]
    pairs += [(f"u{r}{c}", f"u{r + 1}{c}") for r, c in cells if r + 1 < rows]
    return units, pairs


def connected(chosen: set[str], pairs: list[tuple[str, str]]) -> bool:
    """Whether the units hang together."""
    reached, grown = {min(chosen)}, True
    while grown:
        more = {b for a, b in pairs if a in reached and b in chosen} | {
            a for a, b in pairs if b in reached and a in chosen
        }
        grown = not more <= reached
        reached |= more
    return reached == chosen


def best_by_brute_force(problem: Problem) -> float | None:
    """Least objective over every assignment to fixed homes on the plane with one activity, or None."""
    units, homes = problem.units, problem.territories
    (activity, tolerance), n, k = next(iter(problem.balance.items())), len(units), len(homes)
    plans = np.indices((k,) * n).reshape(n, -1).T
    apart = units[["x_km", "y_km"]].to_numpy()[:, None] - homes[["x_km", "y_km"]].to_numpy()
    cost = np.hypot(*apart.transpose(2, 0, 1)) ** problem.power * units[activity].to_numpy()[:, None]
    total = cost[np.arange(n), plans].sum(axis=1)
    target = units[activity].sum() / k
    good = np.ones(len(plans), bool)
    for j in range(k):
        load = (plans == j) @ units[activity].to_numpy()
        good &= (np.abs(load - target) <= tolerance * target + 1e-9) & (plans == j).any(axis=1)
    pairs = None if problem.neighbours is None else list(problem.neighbours.itertuples(index=False, name=None))
    for row in np.flatnonzero(good)[np.argsort(total[good], kind="stable")]:
        members = [set(units.index[plans[row] == j]) for j in range(k)]
        if pairs is None or all(connected(chosen, pairs) for chosen in members):
            return float(total[row])
    return None


def best_with_any_centres(problem: Problem) -> float | None:
    """Least objective over every plan of a single activity whose territories stand at one of their own units."""
    units, k = problem.units, problem.territories
    (activity, tolerance), n = next(iter(problem.balance.items())), len(units)
    spots, load = units[["x_km", "y_km"]].to_numpy(), units[activity].to_numpy()
    apart = np.hypot(*(spots[:, None] - spots).transpose(2, 0, 1)) ** problem.power * load[:, None]
    pairs = None if problem.neighbours is None else list(problem.neighbours.itertuples(index=False, name=None))
    target = load.sum() / k
    price = {}
    for bits in range(1, 1 << n):
        own = [i for i in range(n) if bits >> i & 1]
        if abs(load[own].sum() - target) <= tolerance * target + 1e-9 and (
            pairs is None or connected(set(units.index[own]), pairs)
        ):
            price[bits] = apart[np.ix_(own, own)].sum(axis=0).min()
    best = {0: 0.0}
    for _ in range(k):  # each territory takes the first unit that is left
        longer: dict[int, float] = {}
        for taken, value in best.items():
            first = next((i for i in range(n) if not taken >> i & 1), None)
            for bits, more in price.items():
                if first is not None and bits >> first & 1 and not bits & taken:
                    longer[taken | bits] = min(longer.get(taken | bits, np.inf), value + more)
        best = longer
    return best.get((1 << n) - 1)

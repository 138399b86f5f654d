"""An independent check of an alignment; it shares no code with the solver."""

from collections import Counter, defaultdict
from typing import Any

import pandas as pd

from territory_lab.alignment.problem import Problem

ROUNDING = 1e-9  # relative; what summation in another order may differ by
Rows = list[tuple[Any, ...]]
Owners = dict[str, Any]

COLUMNS = ["rule", "territory_id", "unit_id", "found", "limit", "message"]


def audit(problem: Problem, alignment: pd.Series) -> pd.DataFrame:
    """
    Name every limit that an alignment breaks, and where.

    Parameters
    ----------
    problem : Problem
        The question.
    alignment : Series
        Territory by unit_id.

    Returns
    -------
    DataFrame
        One row a violation: ``rule`` (complete, locked, forbidden, balance, contiguous, moved), ``territory_id``,
        ``unit_id``, ``found`` and ``limit`` (numbers where there are any) and ``message``; empty when there is none.
    """
    given = dict(zip(alignment.index.astype(object), alignment.astype(object), strict=True))
    plan = {unit: given.get(unit) for unit in problem.units.index.astype(object)}
    rows = [*_complete(problem, plan), *_fixed(problem, plan), *_balance(problem, plan)]
    if problem.neighbours is not None:
        rows += _contiguous(problem, plan)
    rows += _moved(problem, plan)
    return pd.DataFrame(rows, columns=COLUMNS)


def _complete(problem: Problem, plan: Owners) -> Rows:
    """Units without a territory, and territories without a unit."""
    known = set(problem.territory_ids)
    rows = [
        ("complete", territory, unit, None, None, f"{unit} has no territory of this problem: {territory!r}")
        for unit, territory in plan.items()
        if territory not in known
    ]
    empty = sorted(known - set(plan.values()))
    return rows + [("complete", territory, None, None, None, f"{territory} has no unit") for territory in empty]


def _fixed(problem: Problem, plan: Owners) -> Rows:
    """Locks, forbidden pairs and pairs out of reach."""
    rows = []
    for unit, territory in dict(problem.locked if problem.locked is not None else {}).items():
        if plan[unit] != territory:
            rows.append(("locked", territory, unit, None, None, f"{unit} is locked to {territory}, not {plan[unit]}"))
    if problem.forbidden is not None:
        for unit, territory in pd.DataFrame(problem.forbidden).iloc[:, :2].itertuples(index=False, name=None):
            if plan[unit] == territory:
                rows.append(("forbidden", territory, unit, None, None, f"{unit} may not belong to {territory}"))
    if isinstance(problem.distance, pd.DataFrame) and not problem.free:
        missing = {territory: set(column.index[column.isna()]) for territory, column in problem.distance.items()}
        for unit, territory in plan.items():
            if unit in missing.get(territory, ()):
                rows.append(("forbidden", territory, unit, None, None, f"{unit} is out of reach of {territory}"))
    return rows


def _balance(problem: Problem, plan: Owners) -> Rows:
    """Territories outside a band."""
    rows = []
    k = len(problem.territory_ids)
    for activity, tolerance in problem.balance.items():
        amount = dict(zip(problem.units.index.astype(object), problem.units[activity].astype(float), strict=True))
        load: dict[str, float] = defaultdict(float)
        for unit, territory in plan.items():
            load[territory] += amount[unit]
        shares = pd.Series(1.0, index=problem.territory_ids)
        homes = problem.territories if isinstance(problem.territories, pd.DataFrame) else pd.DataFrame()
        if f"share_{activity}" in homes:
            shares = homes[f"share_{activity}"]
        for territory, given in homes.get(f"given_{activity}", pd.Series(dtype=float)).items():
            load[str(territory)] += given
        target = shares / shares.sum() * sum(load.values()) if k else shares
        for territory in problem.territory_ids:
            low, high = target[territory] * (1 - tolerance), target[territory] * (1 + tolerance)
            found = load[territory]
            if low - ROUNDING * target[territory] <= found <= high + ROUNDING * target[territory]:
                continue
            limit = high if found > high else low
            off = found / target[territory] - 1 if target[territory] else float("inf")
            text = f"{territory} carries {found:,.6g} of {activity}, {off:+.2%} from its target; limit {tolerance:.2%}"
            rows.append(("balance", territory, None, found, limit, text))
    return rows


def _contiguous(problem: Problem, plan: Owners) -> Rows:
    """Territories in more than one piece (union-find over the neighbour pairs)."""
    parent = {unit: unit for unit in plan}

    def root(unit: str) -> str:
        """Follow the parents, halving the path."""
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    pairs = pd.DataFrame(problem.neighbours).iloc[:, :2].astype(object)
    for a, b in pairs.itertuples(index=False, name=None):
        if plan[a] == plan[b]:
            parent[root(a)] = root(b)
    touched = set(pairs.iloc[:, 0]) | set(pairs.iloc[:, 1])
    held = dict(problem.locked if problem.locked is not None and isinstance(problem.territories, pd.DataFrame) else {})
    pieces: dict[str, Counter[str]] = defaultdict(Counter)
    for unit, territory in plan.items():
        if unit in touched or unit not in held:  # a locked unit that touches none lies apart
            pieces[territory][root(unit)] += 1
    rows = []
    for territory, sizes in pieces.items():
        for piece, size in sizes.most_common()[1:]:
            text = f"{territory} is in {len(sizes)} pieces; {size} unit(s) round {piece} are cut off"
            rows.append(("contiguous", territory, piece, len(sizes), 1, text))
    return rows


def _moved(problem: Problem, plan: Owners) -> Rows:
    """More disruption than allowed."""
    if problem.max_moved_share is None or problem.current is None:
        return []
    known = set(problem.territory_ids)
    today = {unit: owner for unit, owner in problem.current.items() if owner in known and unit in plan}
    weight = problem.units[problem.weight_column].astype(float).to_dict()
    total = sum(weight[unit] for unit in today)
    moved = sum(weight[unit] for unit, owner in today.items() if plan[unit] != owner)
    if moved <= (problem.max_moved_share + ROUNDING) * total:
        return []
    share = moved / total
    text = f"{share:.2%} of {problem.weight_column} changes territory; limit {problem.max_moved_share:.2%}"
    return [("moved", None, None, share, problem.max_moved_share, text)]

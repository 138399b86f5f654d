"""The models that serve: today's scores as a file, and how far the world has moved since they were learnt."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pandas as pd

from territory_lab import book
from territory_lab.errors import TerritoryLabError
from territory_lab.files import defused, written
from territory_lab.propensity import Learned, apply, drift
from territory_lab.propensity.learning import builders
from territory_lab.registry import shelves
from territory_lab.workspace import Workspace


def champions(space: Workspace) -> dict[str, tuple[str, Learned]]:
    """
    Load the models whose scores count.

    Parameters
    ----------
    space : Workspace
        Any workspace.

    Returns
    -------
    dict of str to (version, Learned)
        By kind.

    Raises
    ------
    TerritoryLabError
        Where there is none.
    BadInput
        Where a folder was changed.
    """
    serving = {shelf.kind: shelf for shelf in shelves(space.folder / "models") if shelf.champion}
    if not serving:
        raise TerritoryLabError(f"{space.folder.name} has no models yet; run `territory-lab retrain {space.folder}`")
    return {
        kind: (str(shelf.champion), Learned.load(shelf.place(str(shelf.champion)))) for kind, shelf in serving.items()
    }


class Scores(NamedTuple):
    """
    A file of scores.

    Parameters
    ----------
    file : Path
        The CSV.
    rows : int
        Scores in it.
    as_of : date
        The day they are of.
    valid_until : date
        The end of the shortest horizon.
    """

    file: Path
    rows: int
    as_of: date
    valid_until: date


def score(space: Workspace, file: Path | None = None) -> Scores:
    """
    Score every customer of today with the champions and write the table.

    Parameters
    ----------
    space : Workspace
        With models, accounts and orders.
    file : Path or None
        The CSV; None: ``results/scores.csv`` in the workspace.

    Returns
    -------
    Scores
        The file is written whole, and texts that a spreadsheet would run are made harmless. Its columns: account_id,
        account, product_id, product, kind, probability, expected_revenue, as_of, valid_until (the end of the horizon),
        model (its version); the most revenue first, part by part where the company is large.

    Raises
    ------
    BadInput
        Where today's data lacks a column that a champion needs, or a champion's folder was changed.
    """
    space.need("orders", step="scoring")
    serving = champions(space)
    target, rows = file or space.folder / "results" / "scores.csv", 0

    def save(stream: BinaryIO) -> None:
        nonlocal rows
        for part in space.parts:
            table = _scored(part, serving)
            text = defused(table).to_csv(index=False, lineterminator="\n", header=rows == 0)
            stream.write(text.encode())
            rows += len(table)

    written(target, save)
    until = space.end + min(known.horizon for _, known in serving.values())
    return Scores(target, rows, space.end.date(), until.date())


def _scored(part: Workspace, serving: Mapping[str, tuple[str, Learned]]) -> pd.DataFrame:
    """Score the customers of one part."""
    learned = {kind: known for kind, (_, known) in serving.items()}
    scored = apply(learned, part.tables, part.end, extra=book.local_market(part))
    table = book.with_names(part, scored.propensity)
    until = {kind: scored.as_of + known.horizon for kind, known in learned.items()}
    table = table.assign(
        as_of=scored.as_of.date(),
        valid_until=table["kind"].map(until).dt.date,
        model=table["kind"].map({kind: name for kind, (name, _) in serving.items()}),
    )
    columns = ["account_id", "account", "product_id", "product", "kind", "probability", "expected_revenue"]
    return table[[name for name in [*columns, "as_of", "valid_until", "model"] if name in table]]


def drifted(space: Workspace) -> pd.DataFrame:
    """
    Say how far today's data, and what came of the forecasts since, lie from what the champions were learnt on.

    Parameters
    ----------
    space : Workspace
        With models, accounts and orders.

    Returns
    -------
    DataFrame
        kind, then as `propensity.drift`; the period is the day looked at.
    """
    parts = []
    for kind, (_, known) in champions(space).items():
        build, end = builders(book.local_market(space))[kind], space.end
        ripe = pd.date_range(known.as_of, end - known.horizon, freq=known.horizon)
        rows = [build.labelled(known.snapshot(space.tables, day)).assign(day=day) for day in ripe]
        rows.append(build.features(known.snapshot(space.tables, end)).reset_index().assign(day=end))
        looked = pd.concat(rows, ignore_index=True).reindex(columns=[*known.model.feature_names_in_, "bought", "day"])
        found = drift(known.model, looked[known.model.feature_names_in_], y=looked["bought"], times=looked["day"])
        parts.append(found.assign(kind=kind))
    table = pd.concat(parts, ignore_index=True)
    return table[["kind", *table.columns.drop("kind")]]

"""What the accounts at hand teach: who the customers are, and who will buy."""

import json
from pathlib import Path

import pandas as pd

from territory_lab import book, scoring, worklist
from territory_lab import propensity as models
from territory_lab.errors import BadInput, MissingTable
from territory_lab.results import Result
from territory_lab.timeline import Snapshot
from territory_lab.workspace import Workspace


def profiles(
    space: Workspace, known: pd.DataFrame
) -> tuple[scoring.IdealCustomerProfile, scoring.IdealCustomerProfile]:
    """
    Learn who the ideal customer is.

    Parameters
    ----------
    space : Workspace
        Gives the rule card, where one is stated.
    known : DataFrame
        From `book.accounts`.

    Returns
    -------
    learned, scoring : IdealCustomerProfile
        The one that is learned, and the one that scores: by the rule card where one is stated.
    """
    where = "state" if "state" in known else None
    learned = scoring.IdealCustomerProfile(seed=space.settings.seed).fit(known, known["customer"], place=where)
    stated = book.rules(space)
    if stated is None:
        return learned, learned
    return learned, scoring.IdealCustomerProfile.from_rules(stated).calibrate(known, known["customer"])


def foretold(space: Workspace, fit: pd.Series, keep: Path | None = None) -> Result:
    """
    Learn who will buy more, and who will buy something else, and say so of the accounts at hand.

    Parameters
    ----------
    space : Workspace
        With accounts and orders.
    fit : Series
        Probability by account_id that it is worth having. It was learnt from who buys today: it may weigh what comes,
        but not enter features of the past.
    keep : Path or None
        Where the models are saved, by kind; None: nowhere.

    Returns
    -------
    Result
        As the step propensity has it.

    Raises
    ------
    MissingTable
        Where there is too little to learn from.
    """
    space.need("orders", step="propensity")
    settings = space.settings
    local = book.local_market(space)
    try:
        learned = models.learn(
            space.tables, space.end, horizon_d=settings.horizon_days, extra=local, seed=settings.seed
        )
    except BadInput as lacking:  # the tables have passed the schema: there is too little in them to learn from
        raise MissingTable("propensity is switched off: " + "; ".join(map(str, lacking.faults))) from lacking
    for kind, model in learned.items() if keep else []:
        model.save(Path(keep or "") / kind, data_hash=space.data_hash)
    scored = models.apply(learned, space.tables, space.end, extra=local)
    base = models.forecast_revenue(space.tables["orders"], scored.as_of)
    known = book.accounts(space, book.units(space))
    frames = {
        "propensity": book.with_names(space, scored.propensity),
        "potential": models.potential(space.tables, scored, fit=fit, base=base).to_frame("potential"),
        "expected": base.expected.to_frame().join(base.interval[["low", "high"]]),
        "expected_units": base.summed(known["unit_id"]),
        "metrics": pd.concat({kind: _judged(model) for kind, model in scored.models.items()}, names=["kind"]),
    }
    for kind, model in scored.models.items():
        frames |= {f"calibration_{kind}": model.calibration_, f"gains_{kind}": model.gains_}
        frames |= worklist.reviewed(space, scored, kind)
    now = Snapshot(space.tables, scored.as_of, models.LOOKBACK, scored.horizon)
    if "cross_sell" in scored.models:
        gaps = scored.propensity[scored.propensity["kind"] == "cross_sell"].drop(columns="kind")
        frames["white_space"] = book.with_names(space, models.white_space(now, gaps))
    off = {}
    if "owner_id" in known and known["owner_id"].notna().any():
        found = {kind: worklist.actions(space, scored, frames["propensity"], kind) for kind in scored.models}
        frames["actions"] = pd.concat([actions.listed for actions in found.values()], ignore_index=True)
        frames["capacity"] = pd.concat({kind: actions.by_rep for kind, actions in found.items()}, names=["kind"])
    else:
        off = dict.fromkeys(("actions", "capacity"), "next best actions are switched off: they need accounts.owner_id")
    cards = {kind: json.loads(model.card.to_json()) for kind, model in scored.models.items()}
    verdicts = {f"verdict_{kind}": repr(model.verdict) for kind, model in scored.models.items()}
    return Result(frames, verdicts | {"as_of": str(scored.as_of.date()), "cards": cards}, off)


def _judged(model: models.PropensityModel) -> pd.DataFrame:
    """Set a model's measures in one table, with how far its AUC is above the base model's."""
    table = model.metrics_.reindex(columns=["value", "low", "high"]).copy()
    if model.over_base_ is not None:
        table.loc["auc_over_base"] = list(model.over_base_)
    return table.rename_axis("metric")

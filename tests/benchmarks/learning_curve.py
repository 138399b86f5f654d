"""What more accounts teach: models learnt on ever larger samples, judged on later sales of accounts none has seen."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from territory_lab import book, sample
from territory_lab.propensity import learn
from territory_lab.propensity.learning import builders
from territory_lab.propensity.metrics import auc, average_precision, ece
from territory_lab.workspace import Workspace
from tests.benchmarks.common import measured, show

SIZES = (6_250, 12_500, 25_000, 50_000)
HELD = 50_000  # accounts that no model learns from
ORDERS_A_YEAR = 14.6  # as in `large`
MEASURES = {"AUC": auc, "AP": average_precision, "ECE": ece}


def of(tables: dict[str, pd.DataFrame], ids: pd.Index) -> dict[str, pd.DataFrame]:
    """Keep what belongs to some accounts."""
    return {
        name: table[table["account_id"].isin(ids)] if "account_id" in table else table for name, table in tables.items()
    }


def main() -> None:
    """Print one row a size and kind."""
    with TemporaryDirectory() as place:
        sample.write_large(Path(place), 2 * HELD, orders_a_year=ORDERS_A_YEAR, piece=HELD)
        space = Workspace(Path(place))
        tables, extra = space.tables, book.local_market(space)
        horizon = pd.Timedelta(days=space.settings.horizon_days)
        ids = pd.Index(np.random.default_rng(0).permutation(tables["accounts"]["account_id"]))
        unseen, rows = of(tables, ids[-HELD:]), []
        for size in SIZES:
            known = of(tables, ids[:size])
            learned, cpu_s = measured(lambda known=known: learn(known, space.end - horizon, extra=extra))
            for kind, model in learned.items():
                later = builders(extra)[kind].labelled(model.snapshot(unseen, space.end - horizon))
                told = later["bought"].to_numpy(), model.foretell(later), np.ones(len(later))
                found = {name: measure(*told) for name, measure in MEASURES.items()}
                about = {"accounts": size, "kind": kind, "learner": model.model.algorithm_}
                rows.append({**about, **found, "CPU_s": cpu_s})
        show("What more accounts teach", rows)

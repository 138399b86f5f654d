"""A company too large for memory: dealt into parts, checked, scored and summed as if it were whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from territory_lab import book, cluster, handover, journey, parts, sample
from territory_lab.alignment import Problem, solve
from territory_lab.errors import BadInput, TerritoryLabError
from territory_lab.journey.everyone import COLUMNS, SHOWN, Taught, count, everyone
from territory_lab.journey.taught import profiles
from territory_lab.propensity import Learned
from territory_lab.timeline import data_end
from territory_lab.workspace import Workspace, state
from tests.alignment.grids import grid
from tests.conftest import needs


def workspace(folder: Path, tables: dict[str, pd.DataFrame], *, part: int, suffix: str = "parquet") -> Workspace:
    sample.write(tables, folder, suffix=suffix)
    return state(Workspace(folder), part_accounts=part)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return sample.company(3_000)[0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_every_row_falls_to_the_part_of_its_account(
    tmp_path: Path, tables: dict[str, pd.DataFrame], suffix: str
) -> None:
    space = workspace(tmp_path, tables, part=1_000, suffix=suffix)
    assert [part.part for part in space.parts] == [0, 1, 2]
    for name in ("accounts", "orders", "opportunities", "calls"):
        key = tables[name].columns[0]
        dealt = pd.concat([part.tables[name] for part in space.parts]).sort_values(key, ignore_index=True)
        pd.testing.assert_frame_equal(dealt, tables[name].sort_values(key, ignore_index=True), check_dtype=False)
    for part in space.parts:
        assert set(part.tables["orders"]["account_id"]) <= set(part.tables["accounts"]["account_id"])
        assert 800 < len(part.tables["accounts"]) < 1_200


def test_a_company_that_fits_is_not_dealt(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    space = workspace(tmp_path, tables, part=3_000)
    assert (space.deal, list(space.parts), space.times) == (None, [space], 1.0)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_parts_have_the_faults_of_the_whole(tmp_path: Path, tables: dict[str, pd.DataFrame], suffix: str) -> None:
    messy, _ = sample.messy(tables)
    orders = messy["orders"]
    twice = orders.head(1).assign(account_id=orders["account_id"].iloc[-1])  # the key stands in another part too
    lost = orders.head(1).assign(order_id="lost", account_id="nobody")
    messy["orders"] = pd.concat([orders, twice, lost], ignore_index=True)
    whole = workspace(tmp_path, messy, part=100_000, suffix=suffix).faults()[0]
    assert {"parent_id", "order_id", "account_id", "owner_id"} <= {fault.column for fault in whole}
    dealt = state(Workspace(tmp_path), part_accounts=1_000)
    assert len(list(dealt.parts)) == 4
    assert sorted(dealt.faults()[0]) == sorted(whole)


def test_a_row_without_a_key_is_named_by_its_place_in_its_part(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    nameless = tables["accounts"].head(1).assign(account_id=None)
    accounts = pd.concat([tables["accounts"], nameless], ignore_index=True)
    space = workspace(tmp_path, tables | {"accounts": accounts}, part=1_500)
    (part,) = [part for part in space.parts if part.faults()[0]]
    (fault,) = space.faults()[0]
    assert fault.row == f"part {part.part}, row {parts.rows(part.sources['accounts'])}"


def test_a_damaged_table_is_named_and_leaves_no_parts(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    space = workspace(tmp_path, tables, part=1_000)
    (tmp_path / "orders.parquet").write_bytes((tmp_path / "orders.parquet").read_bytes()[:-100])
    with pytest.raises(BadInput, match="orders: cannot be read"):
        space.faults()
    assert not (tmp_path / "results" / "parts").exists()


def test_tables_that_changed_are_dealt_again(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    space = workspace(tmp_path, tables, part=1_000)
    deal = space.deal
    assert deal is not None
    assert deal.end == data_end(tables)
    facts = tmp_path / "results" / "parts" / "facts.json"
    before = facts.stat().st_mtime_ns
    assert Workspace(tmp_path).deal == deal
    assert facts.stat().st_mtime_ns == before
    shorter = tables["orders"][tables["orders"]["order_date"] < "2024-06-01"]
    sample.write({"orders": shorter}, tmp_path)
    again = Workspace(tmp_path).deal
    assert again is not None
    assert again.rows["orders"] == len(shorter)


def test_the_export_of_parts_is_that_of_the_whole(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    plan = tables["alignment"].set_index("unit_id")["territory_id"]
    plan = plan.where(plan != plan.iloc[0], plan.iloc[-1])
    day = date(2027, 1, 1)

    def exported(part: int) -> tuple[pd.DataFrame, str]:
        folder, _ = handover.write(workspace(tmp_path / str(part), tables, part=part), plan, "csv", effective=day)
        files = [pd.read_csv(file, dtype=str) for file in sorted(folder.glob("accounts*.csv"))]
        calendar = (folder / "calendar.csv").read_text()
        return pd.concat(files).sort_values("account_id", ignore_index=True), calendar

    (whole, days), (parted, days_of_parts) = exported(3_000), exported(1_000)
    assert len(whole) == len(tables["accounts"])
    pd.testing.assert_frame_equal(parted, whole)
    assert days_of_parts == days


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a company of 200,000 accounts, one part of which has been learnt from."""
    folder = tmp_path_factory.mktemp("large")
    sample.write_large(folder, 200_000, piece=50_000)
    space = state(Workspace(folder), part_accounts=10_000)
    journey.learning(space)
    return space


def peak_mb(space: Workspace) -> float:
    """Deal, check and score a company in a process of its own, by what was learnt, and say what that takes."""
    work = f"""
import resource
from pathlib import Path
from territory_lab import journey
from territory_lab.workspace import Workspace
space = Workspace(Path({str(space.folder)!r}))
assert space.faults()[0] == []
journey.scored(space)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    command = [sys.executable, "-W", "ignore", "-c", work]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    return int(ran.stdout) / 1024


@pytest.fixture(scope="module")
def peak(large: Workspace) -> float:
    """Score the large company; return the peak of that."""
    return peak_mb(large)


def test_ten_times_the_accounts_take_as_much_memory(large: Workspace, peak: float, tmp_path: Path) -> None:
    sample.write_large(tmp_path, 20_000, piece=10_000)
    small = state(Workspace(tmp_path), part_accounts=10_000)
    journey.learning(small)
    assert (len(list(small.parts)), len(list(large.parts))) == (2, 20)
    assert peak < 1.5 * peak_mb(small)


@pytest.mark.usefixtures("peak")
def test_all_accounts_are_counted_once_whatever_their_part(large: Workspace) -> None:
    found = everyone(large, COLUMNS).set_index("account_id")
    accounts, orders = (pd.read_parquet(large.folder / f"{name}.parquet") for name in ("accounts", "orders"))
    year = orders[orders["order_date"] >= large.end - pd.Timedelta(days=365)]
    spend = year.groupby("account_id")["amount"].sum().reindex(accounts["account_id"], fill_value=0.0)
    pd.testing.assert_series_equal(found["spend"].reindex(spend.index), spend, check_names=False)
    assert set(found.index[found["customer"]]) == set(orders["account_id"])
    scored = journey.scored(large)
    assert (scored.facts["accounts"], scored.facts["customers"]) == (200_000, orders["account_id"].nunique())
    first = scored["prospects"]
    assert not set(first.index) & set(orders["account_id"])
    assert first["probability"].min() >= found.loc[~found["customer"], "fit"].nlargest(len(first)).min()
    assert scored["propensity"]["expected_revenue"].is_monotonic_decreasing


@pytest.mark.usefixtures("peak")
def test_key_accounts_are_ranked_among_all_accounts_by_their_own_figures(large: Workspace) -> None:
    ranking = journey.key_accounts(large)["ranking"]
    found = everyone(large, ["account_id", "spend", "engagement"]).set_index("account_id")
    share = 20 * found.rank(pct=True)  # five criteria that count alike
    assert len(ranking) == SHOWN < len(found)
    for criterion, column in {"revenue": "spend", "engagement": "engagement"}.items():
        pd.testing.assert_series_equal(ranking[criterion], share[column].reindex(ranking.index), check_names=False)
    assert ranking["priority"].is_monotonic_decreasing


@pytest.mark.filterwarnings("ignore:.*levels unseen in training")
@pytest.mark.usefixtures("peak")
def test_what_is_read_of_a_part_is_let_go_with_it(large: Workspace, tmp_path: Path) -> None:
    places = book.units(large)
    profile = profiles(large, book.accounts(large, places))[1]
    models = {kind: Learned.load(large.result("models") / kind) for kind in ("upsell", "cross_sell")}
    part = Workspace(large.folder, 3)
    assert count(part, Taught(places, profile, models, "last_year", tmp_path)) == []
    assert (tmp_path / "3" / "accounts.parquet").is_file()
    assert not {"tables", "_inspected", "_raw"} & set(vars(part))


@pytest.mark.usefixtures("peak")
def test_a_cluster_that_loses_a_worker_comes_to_the_same(large: Workspace, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    needs(len(os.sched_getaffinity(0)) > 1, "second core")
    alone = {name: step(large) for name, step in journey.STEPS.items()}
    folder = shutil.copytree(large.folder, tmp_path / "large", copy_function=shutil.copy2)
    for done in ("everyone", "scored", "icp", "tam", "propensity", "territories", "resources", "evaluation"):
        shutil.rmtree(folder / "results" / done)
    other, killed = Workspace(folder), []
    with cluster.workers(cluster.LOCAL) as each:

        def unlucky(work, spaces):  # type: ignore[no-untyped-def]
            for found in each(work, spaces):
                if not killed:
                    killed.append(min(distributed.default_client().run(os.getpid).values()))
                    os.kill(killed[0], signal.SIGKILL)
                yield found

        journey.scored(other, each=unlucky)
    assert killed
    pd.testing.assert_frame_equal(everyone(other, COLUMNS), everyone(large, COLUMNS), check_exact=True)
    for name, step in journey.STEPS.items():
        together = step(other)
        assert together.facts == alone[name].facts
        for frame, found in together.frames.items():
            pd.testing.assert_frame_equal(found, alone[name][frame])


def solved(problem: Problem, seed: int) -> dict[str, str]:
    return dict(solve(problem, seed=seed).alignment)


@pytest.fixture(scope="module")
def each() -> Iterator[Callable[[Callable[[int], Any], Iterable[int]], Iterator[Any]]]:
    """Return what has two workers do things."""
    pytest.importorskip("distributed")
    with cluster.workers(cluster.LOCAL) as each:
        yield each


def test_seeds_are_swept_on_a_cluster_as_in_a_loop(each: Callable[..., Iterator[dict[str, str]]]) -> None:
    units, pairs = grid(4, 4)
    homes = units.loc[["u00", "u33"], ["x_km", "y_km"]].rename_axis("territory_id")
    problem = Problem(units, homes, {"w": 0.2}, distance="euclidean", neighbours=pairs)
    assert list(each(partial(solved, problem), range(3))) == [solved(problem, seed) for seed in range(3)]


def marked(folder: Path, number: int) -> int:
    time.sleep(0.2)
    (folder / str(number)).touch()
    return number


def test_leaving_early_calls_the_rest_off(each: Callable[..., Iterator[int]], tmp_path: Path) -> None:
    going = each(partial(marked, tmp_path), range(60))
    assert next(going) == 0
    going.close()  # as an interrupt does
    time.sleep(2)
    done = len(list(tmp_path.iterdir()))
    time.sleep(2)
    assert len(list(tmp_path.iterdir())) == done < 60


def test_a_sample_of_no_whole_number_of_pieces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="1,500 accounts are no whole number of pieces"):
        sample.write_large(tmp_path, 1_500, piece=1_000)


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(TerritoryLabError, match=r"tcp://127\.0\.0\.1:9"),
        cluster.workers("tcp://127.0.0.1:9"),
    ):
        pass

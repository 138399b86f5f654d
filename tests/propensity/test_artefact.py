"""A saved model is all there, byte by byte, or it is refused by name."""

import functools
import json
import os
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from territory_lab.errors import BadInput
from territory_lab.propensity import PropensityModel, artefact, sklearn_file
from territory_lab.propensity.card import Card
from territory_lab.propensity.metrics import Interval
from territory_lab.propensity.state import from_json, to_json

FILES = {
    *("card.html", "card.json", "encoder.json", "manifest.json", "metrics.json"),
    *("model.json", "notes.json", "profile.json", "schema.json"),
}


def table(rows: int = 1_500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(size=rows),
            "gaps": np.where(rng.random(rows) < 0.2, np.nan, rng.gamma(2.0, size=rows)),
            "sector": rng.choice(["<b>", "=A1", "farm"], rows),
            "open": rng.random(rows) < 0.3,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2_000, rows), unit="D"),
        }
    )


def fit(algorithm: Any, **options: Any) -> PropensityModel:
    X = table()
    p = 1 / (1 + np.exp(1 - X["x"] - X["open"]))
    y = np.where(np.random.default_rng(1).random(len(X)) < p, "yes", "no")
    return PropensityModel(algorithm, seed=2, **options).fit(X, y)


@pytest.fixture(scope="module", params=["logistic", "boosting"])
def model(request: pytest.FixtureRequest) -> PropensityModel:
    return fit(request.param, monotone={"x": 1} if request.param == "boosting" else None, allow={"open": "a, b"})


@pytest.fixture
def saved(model: PropensityModel, tmp_path: Path) -> Path:
    model.save(tmp_path / "saved", {"asked by": "nobody", "day": pd.Timestamp("2026-06-30")})
    return tmp_path / "saved"


def refused(folder: Path) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as error:
        PropensityModel.load(folder)
    assert {fault.table for fault in error.value.faults} <= {folder.name, "artefact"}
    return [(fault.column, fault.problem) for fault in error.value.faults]


def reseal(folder: Path) -> None:
    """Write the manifest that fits the files: what somebody would do who means harm."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    (folder / "manifest.json").write_bytes(artefact._manifest(files))


def test_a_loaded_model_foretells_the_same_to_the_last_bit(model: PropensityModel, saved: Path) -> None:
    loaded, later = PropensityModel.load(saved), table(seed=5)
    assert loaded.predict_proba(later).tobytes() == model.predict_proba(later).tobytes()
    assert list(loaded.predict(later)) == list(model.predict(later))
    assert loaded.notes_ == {"asked by": "nobody", "day": pd.Timestamp("2026-06-30")}


def test_a_loaded_model_tells_the_same_about_itself(model: PropensityModel, saved: Path) -> None:
    loaded = PropensityModel.load(saved)
    assert loaded.get_params() == model.get_params()
    assert (loaded.card, repr(loaded.verdict)) == (model.card, repr(model.verdict))
    for name in ("metrics_", "calibration_", "gains_", "leaks_"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(model, name), check_exact=True)
    assert loaded.profile_ == model.profile_


def test_the_same_model_gives_the_same_bytes_however_often_it_is_saved(
    model: PropensityModel, saved: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    loaded = PropensityModel.load(saved)
    loaded.save(again, loaded.notes_)
    fit(model.algorithm, monotone=model.monotone, allow=model.allow).save(tmp_path / "afresh", loaded.notes_)
    for file in saved.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes() == (tmp_path / "afresh" / file.name).read_bytes()


def test_the_folder_holds_readable_files_and_no_pickle(model: PropensityModel, saved: Path) -> None:
    own = {"logistic": "pipeline.skops", "boosting": "booster.ubj"}[model.algorithm]
    names = {file.name for file in saved.iterdir()}
    assert FILES | {own} <= names
    assert {Path(name).suffix for name in names - FILES} <= {".skops", ".ubj"}
    schema = json.loads((saved / "schema.json").read_text(encoding="utf-8"))
    assert [column["column"] for column in schema["columns"]] == list(table().columns)
    for file in saved.iterdir():
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever pickle says of a file that is none
            pickle.loads(file.read_bytes())  # noqa: S301 - our own bytes
        if file.suffix == ".json":
            assert not re.search(r"\b(NaN|Infinity)\b", json.dumps(json.loads(file.read_text(encoding="utf-8"))))


def test_a_changed_byte_in_any_file_is_refused_by_its_name(saved: Path) -> None:
    for file in sorted(saved.iterdir()):
        content = file.read_bytes()
        for place in (0, len(content) // 2, len(content) - 1):
            file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
            assert [name for name, _ in refused(saved)] == [file.name]
        file.write_bytes(content)
    PropensityModel.load(saved)


def test_every_file_that_is_lost_or_added_is_named_at_once(saved: Path) -> None:
    (saved / "encoder.json").unlink()
    (saved / "card.json").unlink()
    (saved / "run.py").write_text("print()", encoding="utf-8")
    (saved / "inside").mkdir()
    assert {name for name, _ in refused(saved)} == {"encoder.json", "card.json", "run.py", "inside"}
    (saved / "manifest.json").unlink()
    assert refused(saved) == [("manifest.json", "is missing: the folder holds no model")]


def test_a_skops_file_that_would_run_a_program_is_refused_and_does_not_run(tmp_path: Path) -> None:
    model, folder, proof = fit("logistic"), tmp_path / "model", tmp_path / "ran"
    model.save(folder)
    hostile = make_pipeline(functools.partial(os.mkdir, str(proof)))
    (folder / "pipeline.skops").write_bytes(skops.io.dumps(hostile))
    reseal(folder)
    problems = refused(folder)
    assert {name for name, _ in problems} == {"pipeline.skops"}
    assert any("functools.partial (PartialNode)" in problem for _, problem in problems)
    assert not proof.exists()


def test_a_pickle_in_place_of_the_pipeline_is_refused(tmp_path: Path) -> None:
    model, folder = fit("logistic"), tmp_path / "model"
    model.save(folder)
    (folder / "pipeline.skops").write_bytes(pickle.dumps(model.learner_.pipeline))
    reseal(folder)
    assert [name for name, _ in refused(folder)] == ["pipeline.skops"]


def test_trees_that_are_none_are_refused(tmp_path: Path) -> None:
    model, folder = fit("boosting"), tmp_path / "model"
    model.save(folder)
    (folder / "booster.ubj").write_bytes(b"{}")
    reseal(folder)
    assert refused(folder) == [("booster.ubj", "holds no trees of xgboost")]


def test_an_old_protocol_of_skops_is_refused() -> None:
    data = sklearn_file.write(fit("logistic").learner_.pipeline).replace(b'"protocol": 2', b'"protocol": 1')
    with pytest.raises(BadInput):
        sklearn_file.read(data, "pipeline.skops")


def test_a_type_that_nobody_reviewed_is_not_written_either() -> None:
    with pytest.raises(BadInput, match=r"sklearn\.preprocessing\._data\.MinMaxScaler"):
        sklearn_file.write(make_pipeline(MinMaxScaler()))


def test_a_class_of_elsewhere_is_not_made(saved: Path) -> None:
    stated = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    text = json.dumps(stated | {"algorithm_": {"$Path": {}}})
    (saved / "model.json").write_text(text, encoding="utf-8")
    reseal(saved)
    assert [(name, "Path" in problem) for name, problem in refused(saved)] == [("model.json", True)]


def test_a_folder_with_something_else_in_it_is_left_alone(model: PropensityModel, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(BadInput, match="nothing was changed"):
        model.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_save_that_fails_leaves_the_old_model_whole(model: PropensityModel, saved: Path) -> None:
    before = {file.name: file.read_bytes() for file in saved.iterdir()}
    with pytest.raises(BadInput, match="is not kept"):
        model.save(saved, notes=object())
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before
    assert {file.name for file in saved.parent.iterdir()} == {".lock", "saved"}


def test_columns_in_another_order_or_too_many_are_mended_with_a_warning(saved: Path) -> None:
    loaded, X = PropensityModel.load(saved), table(seed=3)
    right = loaded.predict_proba(X)
    with pytest.warns(UserWarning, match="put in order"):
        assert (loaded.predict_proba(X[X.columns[::-1]]) == right).all()
    with pytest.warns(UserWarning, match="left out: new"):
        assert (loaded.predict_proba(X.assign(new=1)) == right).all()


def test_missing_columns_are_refused_by_name(saved: Path) -> None:
    with pytest.raises(BadInput) as error:
        PropensityModel.load(saved).predict_proba(table().drop(columns=["x", "since"]))
    assert [fault.column for fault in error.value.faults] == ["x", "since"]


def test_a_changed_type_is_read_where_it_can_be_and_refused_where_not(saved: Path) -> None:
    loaded, X = PropensityModel.load(saved), table(seed=3)
    with pytest.warns(UserWarning, match="x: numbers come as"):
        assert (loaded.predict_proba(X.assign(x=X["x"].map(repr))) == loaded.predict_proba(X)).all()
    with pytest.raises(BadInput, match=r"X\.x: was numbers in training"):
        loaded.predict_proba(X.assign(x="much"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [(lambda values: 1_000 * values, "unit of the training data"), (lambda values: values + np.inf, "infinite")],
)
def test_another_unit_and_infinite_values_are_refused(saved: Path, change: Any, problem: str) -> None:
    with pytest.raises(BadInput, match=rf"X\.gaps.*{problem}"):
        PropensityModel.load(saved).predict_proba(table().assign(gaps=lambda X: change(X["gaps"])))


def test_dates_of_several_time_zones_are_the_moments_they_name(saved: Path) -> None:
    loaded, X = PropensityModel.load(saved), table(seed=3)
    zones = ["UTC", "Asia/Tokyo", "America/New_York"]
    mixed = [day.tz_localize("UTC").tz_convert(zones[i % 3]) for i, day in enumerate(X["since"])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = loaded.predict_proba(X.assign(since=pd.Series(mixed, dtype="object")))
    assert (found == loaded.predict_proba(X)).all()


def test_values_come_back_from_json_as_they_were() -> None:
    value = {
        "numbers": [0.1 + 0.2, -0.0, 5e-324, float("inf"), 2**70, True, None],
        "own": Interval(0.1, -np.inf, 0.3),
        "pairs": {1: "a", (2, 3): "b"},
        "arrays": [np.float32(0.1), np.int8(3), np.timedelta64(3, "D").astype(int)],
        "like a tag": {"$float": 1},
        "days": (pd.Timestamp("2026-06-30 12:00"), pd.Timedelta("1ns"), pd.NaT),
    }
    back = from_json(to_json(value, {}), {}, "x.json")
    assert repr(back) == repr(value)
    assert np.signbit(back["numbers"][1])


def test_arrays_and_tables_come_back_from_json_as_they_were() -> None:
    frame = pd.DataFrame(
        {"a": [1, 2], "b": [np.nan, 0.1], "c": ["x", None], "d": pd.to_datetime(["2026-01-01", None])},
        index=pd.Index(["r", "s"], name="row"),
    )
    arrays = [np.array([[1.5, np.nan]]), np.array(["ab", "c"]), np.array([True]), np.array(["a", 1], dtype=object)]
    back = from_json(to_json([frame, frame["b"], *arrays], {}), {}, "x.json")
    pd.testing.assert_frame_equal(back[0], frame)
    pd.testing.assert_series_equal(back[1], frame["b"])
    for one, two in zip(back[2:], arrays, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)


def test_the_card_escapes_what_comes_from_outside_and_is_valid_json() -> None:
    card = Card(name="<script>", rows=[{"level": "<i>", "share": 0.123456}], none=np.nan, count=np.int64(3))
    page = card.to_page()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;i&gt;" in page
    assert "0.1235" in page
    assert json.loads(card.to_json()) == {
        "name": "<script>",
        "rows": [{"level": "<i>", "share": 0.123456}],
        "none": None,
        "count": 3,
    }

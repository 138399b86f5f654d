"""Every reader takes anything: tables with all their rows, or named faults; what atheris once found stays found."""

import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.sampled_from(
    re.findall(
        r"\w+",
        "name currency seed horizon_days tolerance_share bounds crm date_order units_by tables accounts files columns "
        "codes join query play who channel angle timing when kind at_least at_most reasons intercept sector employees "
        "at weight log status author note data_hash settings effective",
    )
)
PLAIN = (
    st.none().map(lambda _: [])
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.dates()
    | st.sampled_from(["draft", "csv", "upsell", "{product}", "{value:.0f}", "{value:9999999999}", "{a.b}", "dmy"])
    | WORDS
)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))
CELLS = st.one_of(WORDS, st.integers(), st.floats(), st.booleans(), st.datetimes(), st.none())
COLUMNS = ["account_id", "name", "lon", "lat", "revenue", "created_date", "postcode"]
ROWS = st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=5)
NUMBERS = st.floats(width=32) | st.integers(-200, 200)
SHAPES = st.recursive(
    st.builds(lambda at: {"type": "Point", "coordinates": at}, st.lists(NUMBERS, max_size=3))
    | st.builds(lambda at: {"type": "Polygon", "coordinates": at}, st.lists(st.lists(st.lists(NUMBERS, max_size=3))))
    | st.none(),
    lambda inner: st.builds(
        lambda parts: {"type": "GeometryCollection", "geometries": parts}, st.lists(inner, max_size=3)
    ),
    max_leaves=4,
)


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*/*")), ids=lambda seed: f"{seed.parent.name}-{seed.name}")
def test_what_was_found_stays_found(seed: Path, tmp_path: Path) -> None:
    TARGETS[seed.parent.name](tmp_path, seed.read_bytes())


@QUICK
@given(st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_toml_is_read_or_its_faults_are_named(tmp_path: Path, stated: dict[str, object]) -> None:
    TARGETS["toml"](tmp_path, tomli_w.dumps(stated).encode())


@QUICK
@given(
    st.lists(
        st.tuples(SHAPES, st.dictionaries(st.sampled_from(COLUMNS), CELLS.filter(lambda v: not hasattr(v, "year"))))
    )
)
def test_any_geojson_is_read_or_its_faults_are_named(tmp_path: Path, features: list[tuple[object, object]]) -> None:
    told = [{"type": "Feature", "geometry": shape, "properties": about} for shape, about in features]
    TARGETS["geojson"](tmp_path, json.dumps({"type": "FeatureCollection", "features": told}).encode())


@QUICK
@given(ROWS)
def test_any_parquet_is_read_or_its_faults_are_named(tmp_path: Path, rows: list[list[object]]) -> None:
    packed = io.BytesIO()
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"name": "str", "account_id": "str"})
    mixed = [column for column in frame if frame[column].dtype == object]
    frame.astype(dict.fromkeys(mixed, "str")).to_parquet(packed)
    TARGETS["parquet"](tmp_path, packed.getvalue())


@QUICK
@given(ROWS)
def test_any_workbook_is_read_or_its_faults_are_named(tmp_path: Path, rows: list[list[object]]) -> None:
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

    book, packed = Workbook(), io.BytesIO()
    book.active.append(COLUMNS)
    for row in rows:
        book.active.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    book.save(packed)
    TARGETS["xlsx"](tmp_path, packed.getvalue())


@pytest.mark.parametrize("name", TARGETS)
@QUICK
@given(st.data())
def test_any_bytes_are_read_or_their_faults_are_named(tmp_path: Path, name: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([file.read_bytes() for file in sorted((SEEDS / name).glob("*"))] or [b"PK\3\4"]))
    cut, again = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))
    TARGETS[name](tmp_path, whole[:cut] + data.draw(st.binary(max_size=20)) + whole[again:])

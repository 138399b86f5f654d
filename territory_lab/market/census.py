"""Readers of market counts: the Census Bureau's County Business Patterns files, and any long table."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, csv

from territory_lab.errors import BadInput, Fault
from territory_lab.schema import SECTORS

# Employees behind a withheld count by its flag, from the Census Bureau's record layout (files up to 2017).
_FLAGS = {
    "A": (0, 19),
    "B": (20, 99),
    "C": (100, 249),
    "E": (250, 499),
    "F": (500, 999),
    "G": (1_000, 2_499),
    "H": (2_500, 4_999),
    "I": (5_000, 9_999),
    "J": (10_000, 24_999),
    "K": (25_000, 49_999),
    "L": (50_000, 99_999),
    "M": (100_000, 250_000),  # published without an upper end
}
# Noise that the Bureau adds: G below 2 %, H below 5 %, J more, taken as up to 15 %.
_NOISE = {"G": 0.02, "H": 0.05, "J": 0.15}
_SIZES = {
    "n1_4": (1, 4),
    "n<5": (1, 4),
    "n5_9": (5, 9),
    "n10_19": (10, 19),
    "n20_49": (20, 49),
    "n50_99": (50, 99),
    "n100_249": (100, 249),
    "n250_499": (250, 499),
    "n500_999": (500, 999),
    "n1000": (1_000, 4_000),
}
_OPEN_END = 4  # a class without an upper end is taken to reach this many times its lower end
_HIDDEN = (0.0, 1.0, 2.0)  # establishments in a suppressed cell: fewer than three
_COUNTS = [f"{one}{end}" for one in ("employees", "establishments") for end in ("", "_low", "_high")]


def sector_of(codes: pd.Series) -> pd.Series:
    """Find the sector of NAICS codes of any length (238220, 31, 44----, 31-33); missing where there is none."""
    whole = {part: sector for sector in SECTORS for part in _parts(sector)}
    return codes.astype("str").str[:2].map(whole).astype("str")


def _parts(sector: str) -> list[str]:
    """List the two-digit codes that a sector joins."""
    first, last = (int(part) for part in (sector.split("-") * 2)[:2])
    return [str(code) for code in range(first, last + 1)]


def read_cbp(path: Path, areas: pd.Series | None = None) -> pd.DataFrame:
    """
    Read a Census file ``cbpYYco.txt`` or ``cbpYYmsa.txt`` of either column generation.

    A published count of employees is kept with the noise that its flag admits (source ``reported``). A withheld one
    (noise flag D or S) is estimated in the range that its size flag allows, or where the file has none, its
    establishments by size (source ``estimate``).

    Parameters
    ----------
    path : Path
        As published, comma-separated; may be gzipped.
    areas : Series of str, optional
        area_id by 5-digit county, for a county file; without it each county is its own area.

    Returns
    -------
    DataFrame
        One row for each area and sector: area_id, sector, employees and establishments with _low and _high, source.

    Raises
    ------
    BadInput
        Where the columns are of neither generation, or counties have no area (each named).
    """
    table = _sector_rows(path)
    area = (
        table["msa"].str.zfill(5) if "msa" in table else table["fipstate"].str.zfill(2) + table["fipscty"].str.zfill(3)
    )
    if areas is not None:
        lost = sorted(set(area) - set(areas.index))
        if lost:
            mend = "give its area, or leave the county out of the file"
            raise BadInput(Fault(path.name, "fipscty", one, "the county has no area", mend) for one in lost)
        area = area.map(areas)
    sizes = [one for one in _SIZES if one in table]
    number = {one: _numbers(table[one]) for one in ("emp", "est", *sizes)}
    by_size = np.stack([number[one] for one in sizes])
    low, high = (_flagged(table, end, np.array([_SIZES[one][end] for one in sizes]) @ by_size) for end in (0, 1))
    withheld = table["emp_nf"].isin(["D", "S"]).to_numpy()
    noise = table["emp_nf"].map(_NOISE).fillna(0.0).to_numpy("float64")
    found = pd.DataFrame(
        {
            "area_id": area,
            "sector": sector_of(table["naics"]),
            "employees": np.where(withheld, np.sqrt(np.maximum(low, 1) * np.maximum(high, 1)), number["emp"]),
            "employees_low": np.where(withheld, low, number["emp"] * (1 - noise)),
            "employees_high": np.where(withheld, high, number["emp"] * (1 + noise)),
            "establishments": number["est"],
            "establishments_low": number["est"],
            "establishments_high": number["est"],
            "estimated": withheld,
        }
    )
    return _gathered(found)


def read_counts(
    table: pd.DataFrame,
    *,
    area: str = "area",
    sector: str = "sector",
    size: str = "size",
    count: str = "count",
    vintage: str | None = None,
) -> pd.DataFrame:
    """
    Read a long table of establishments by area, industry and size.

    Parameters
    ----------
    table : DataFrame
        One row for each area, industry and size class.
    area, sector, size, count : str
        Columns: area_id; NAICS code of any length; class such as ``1-4``, ``10 to 19`` or ``1,000+``; number of
        establishments, where a missing one is a suppressed cell (fewer than three, taken as one, 0 to 2).
    vintage : str, optional
        Column with the year of the NAICS; more than one year is refused, since codes moved between sectors.

    Returns
    -------
    DataFrame
        As :func:`read_cbp` gives it; employees are the geometric middle of the class times its establishments.

    Raises
    ------
    BadInput
        With every column that is missing, class that cannot be read, unknown industry, count below 0, repeated row, and
        mixed vintage.
    """
    wanted = [area, sector, size, count, *([vintage] if vintage else [])]
    missing = [one for one in wanted if one not in table]
    if missing:
        raise BadInput(
            Fault("market", one, "", "the column is missing", "add it, or name the right one") for one in missing
        )
    sectors, spans = sector_of(table[sector]), table[size].astype("str").map(_class)
    numbers = pd.to_numeric(table[count], errors="coerce").to_numpy("float64")
    faults = [
        *_listed(table[sector][sectors.isna()], sector, "is no NAICS industry", "leave totals out"),
        *_listed(table[size][spans.isna()], size, "is no size class", "write it as 10-19 or 1000+"),
        *_listed(table[count][numbers < 0], count, "is below 0", "correct it"),
    ]
    twice = table.duplicated([area, sector, size])
    faults += _listed(table[area][twice], area, "has a row that stands twice", "add the rows up")
    if vintage and len(years := sorted(table[vintage].astype("str").unique())) > 1:
        mend = "bring all rows to one year with the Bureau's concordance"
        faults.append(Fault("market", vintage, "", f"mixes the NAICS of {', '.join(years)}", mend))
    if faults:
        raise BadInput(faults)
    ends = np.array(spans.to_list(), dtype="float64").reshape(-1, 2)
    hidden = np.isnan(numbers)
    least, middle, most = (np.where(hidden, fill, numbers) for fill in _HIDDEN)
    found = pd.DataFrame(
        {
            "area_id": table[area].astype("str"),
            "sector": sectors,
            "employees": middle * np.sqrt(ends.prod(axis=1)),
            "employees_low": least * ends[:, 0],
            "employees_high": most * ends[:, 1],
            "establishments": middle,
            "establishments_low": least,
            "establishments_high": most,
            "estimated": hidden,
        }
    )
    return _gathered(found)


def _sector_rows(path: Path) -> pd.DataFrame:
    """Read the sector rows of a Census file as text, and only the columns needed."""
    with pa.input_stream(str(path), compression="detect") as stream:
        first = stream.read(4096).split(b"\n", 1)[0].decode("latin-1")
    header = {one.strip().strip('"').lower(): one.strip().strip('"') for one in first.split(",")}
    place = ["fipstate", "fipscty"] if "fipstate" in header else ["msa"]
    needed = [*place, "naics", "emp_nf", "emp", "est", "n5_9"]
    missing = [one for one in needed if one not in header]
    if missing:
        mend = "give cbpYYco.txt or cbpYYmsa.txt as the Census Bureau publishes it"
        raise BadInput(Fault(path.name, one, "", "the column is missing", mend) for one in missing)
    wanted = [one for one in dict.fromkeys([*needed, "empflag", *_SIZES]) if one in header]
    options = csv.ConvertOptions(
        include_columns=[header[one] for one in wanted], column_types={header[one]: pa.string() for one in wanted}
    )
    read = csv.read_csv(path, convert_options=options).rename_columns(wanted)
    sectors = read.filter(compute.match_substring_regex(read["naics"], r"^\d\d----$"))
    return pd.DataFrame({one: sectors[one].to_pandas().astype("str").fillna("") for one in wanted})


def _numbers(text: pd.Series) -> NDArray[np.float64]:
    """Read counts; N stands for one that is not shown."""
    return np.asarray(pd.to_numeric(text.replace({"N": "0", "": "0"})), np.float64)


def _flagged(table: pd.DataFrame, end: int, by_size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take one end of a withheld count from its size flag, where it has one, else from the establishments by size."""
    if "empflag" not in table:
        return by_size
    flagged = table["empflag"].map({flag: span[end] for flag, span in _FLAGS.items()}).to_numpy("float64")
    return np.where(np.isnan(flagged), by_size, flagged)


def _class(text: str) -> tuple[float, float] | None:
    """Read the ends of a size class."""
    numbers = [float(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", text)]
    match numbers:
        case [low, high] if 0 < low <= high:
            return low, high
        case [only] if "<" in text or "under" in text.lower() or "less" in text.lower():
            return 1.0, max(only - 1, 1.0)
        case [low] if low > 0:
            return low, low * _OPEN_END if re.search(r"\+|more|over|>", text) else low
    return None


def _listed(values: pd.Series, column: str, problem: str, mend: str) -> list[Fault]:
    """Name each distinct value that is wrong."""
    return [Fault("market", column, str(one), problem, mend) for one in values.astype("str").fillna("missing").unique()]


def _gathered(found: pd.DataFrame) -> pd.DataFrame:
    """Add up the parts of each area and sector; one estimated part makes the sum an estimate."""
    known = found[found["sector"].notna()]
    table = (
        known.groupby(["area_id", "sector"]).agg({**dict.fromkeys(_COUNTS, "sum"), "estimated": "any"}).reset_index()
    )
    source = pd.Series(np.where(table["estimated"], "estimate", "reported"), table.index, dtype="str")
    return table.drop(columns="estimated").assign(source=source)

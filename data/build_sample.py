"""Build data/sample and data/sample_messy from the reference geography: the same bytes at every run."""

from pathlib import Path

from territory_lab import sample

DATA = Path(__file__).resolve().parent
SEED = 0


def build(folder: Path = DATA) -> None:
    """Write the shipped company, and a small one as an export has it."""
    tables, truth = sample.company(12_000, SEED)
    sample.write(tables, folder / "sample")
    sample.write_truth(truth, folder / "sample")
    spoilt, faults = sample.messy(sample.company(1_500, SEED, orders_a_year=2.0)[0], SEED)
    sample.write(spoilt, folder / "sample_messy", suffix="csv")
    sample.write_truth({"planted_faults": faults, "seed": SEED}, folder / "sample_messy")


if __name__ == "__main__":
    build()
    for file in sorted([*DATA.glob("sample/*"), *DATA.glob("sample_messy/*")]):
        print(f"{file.stat().st_size:>9,}  {file.relative_to(DATA)}")

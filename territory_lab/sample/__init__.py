"""The sample company: an industrial distributor on real geography, with planted truths, clean or as exported."""

from territory_lab.sample.company import company, write, write_truth
from territory_lab.sample.large import write_large
from territory_lab.sample.messy import messy

__all__ = ["company", "messy", "write", "write_large", "write_truth"]

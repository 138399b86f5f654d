import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAME = {
    "h3": "h3-py",
    "matplotlib": "matplotlib-base",
    "seaborn": "seaborn-base",
    "xgboost": "py-xgboost-cpu",
    "xgboost-cpu": "py-xgboost-cpu",
}


def project() -> dict[str, list[str]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_conda_and_pip_ask_for_the_same_packages_and_lower_bounds() -> None:
    pip = [Requirement(line) for line in project()["dependencies"]]
    wanted = {f"{CONDA_NAME.get(need.name, need.name)}{need.specifier}" for need in pip}
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    conda = {line.removeprefix("  - ") for line in lines if re.match(r"  - [a-z].*>=", line)}
    assert conda - {f"python{project()['requires-python']}"} == wanted


def test_every_dependency_is_pinned_with_hashes_and_no_address() -> None:
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    names = {Requirement(line).name for line in project()["dependencies"]}
    assert names <= set(re.findall(r"^([a-z0-9_.-]+)==", pinned, flags=re.MULTILINE))
    assert "://" not in pinned
    blocks = re.split(r"\n(?=[a-z0-9])", pinned.split("\n", 2)[2])
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)

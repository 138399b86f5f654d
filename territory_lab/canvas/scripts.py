"""The scripts and the style of the territory map, as the browser takes them."""

import re
from collections.abc import Sequence
from pathlib import Path

from territory_lab.charts.tokens import DARK, FONT, LIGHT

FOLDER = Path(__file__).parent / "map"
WIDGET = ("geometry", "draw", "stage", "side", "widget")
PAGE = ("geometry", "draw", "stage", "what_if")


def bundle(scripts: Sequence[str] = WIDGET) -> str:
    """
    Join scripts of the map into one module.

    Each file under ``canvas/map`` is a module of its own; joined, what they import from one another goes, and so does
    the word ``export``, but for a last file's ``export default``.

    Parameters
    ----------
    scripts : sequence of str
        Their names, what is imported first: those of the notebook's map, or of a page's (`PAGE`).

    Returns
    -------
    str
        An ECMAScript module without imports.
    """
    text = "".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in scripts)
    return re.sub(r"^(import [^;]*;\n|export (?!default))", "", text, flags=re.MULTILINE)


def style() -> str:
    """
    Give the map's style with the tokens, dark where JupyterLab is, or where there is none and the system is.

    Returns
    -------
    str
        A style sheet whose rules hold inside ``.tl-map`` only.
    """

    def rules(colours: dict[str, str]) -> str:
        return "".join(f"--{name}:{colour};" for name, colour in colours.items())

    own = (FOLDER / "map.css").read_text(encoding="utf-8")
    dark = f"{{color-scheme:dark;{rules(DARK)}}}"
    return (
        f".tl-map{{color-scheme:light;--font:{FONT};{rules(LIGHT)}}}\n[data-jp-theme-light=false] .tl-map{dark}\n"
        f"@media screen and (prefers-color-scheme:dark){{body:not([data-jp-theme-light]) .tl-map{dark}}}\n{own}"
    )

"""The one page shell: a file that asks for nothing, runs nothing foreign, and is written whole or not at all."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from territory_lab.canvas.scripts import PAGE, bundle, style
from territory_lab.charts.speech import spoken, translations
from territory_lab.charts.tables import CSS
from territory_lab.charts.tokens import css_tokens
from territory_lab.files import write_whole

TEMPLATES = Path(__file__).parent / "templates"


class Section(NamedTuple):
    """
    An entry of the navigation.

    Parameters
    ----------
    anchor : str
        Id of the heading.
    title : str
        Its text.
    """

    anchor: str
    title: str


def write_page(
    template: str, path: Path, *, title: str, sections: Sequence[Section], map_too: bool = False, **context: object
) -> Path:
    """
    Fill a template and write the file.

    Parameters
    ----------
    template : str
        Name of a template that extends ``page.html.j2``.
    path : Path
        The HTML file.
    title : str
        Of the page.
    sections : sequence of Section
        The navigation.
    map_too : bool
        Whether the page carries the map that may be changed, and so its style and script.
    **context : object
        What the template shows; text is escaped.

    Returns
    -------
    Path
        The file.
    """
    scripts = [(TEMPLATES / "page.js").read_text(encoding="utf-8"), *([bundle(PAGE)] if map_too else [])]
    css = css_tokens() + (TEMPLATES / "page.css").read_text(encoding="utf-8") + CSS + (style() if map_too else "")
    own = {
        "css": Markup(css),  # noqa: S704 - files of this package, and so are the scripts
        "scripts": [Markup(script) for script in scripts],  # noqa: S704
        "hashes": [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts],
    }
    html = (
        _environment()
        .get_template(template)
        .render(title=title, sections=sections, language=str(spoken()).replace("_", "-"), **own, **context)
    )
    return write_whole(path, html)


def _environment() -> Environment:
    """Escape everything, refuse names that are not there."""
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=loader,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(translations(spoken().language), newstyle=True)  # type: ignore[attr-defined]
    return environment

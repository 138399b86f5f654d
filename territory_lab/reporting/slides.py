"""Six slides: the decision, what changes, what it brings, how fair it is, the market, what we do not know."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from territory_lab.charts.picture import Picture
from territory_lab.charts.speech import say
from territory_lab.charts.tokens import INK, MUTED
from territory_lab.errors import TerritoryLabError
from territory_lab.files import written
from territory_lab.reporting.numbers import Numbers
from territory_lab.reporting.telling import Teller, decision, key_numbers, near_best, told

_WIDE_IN, _TALL_IN = 13.333, 7.5


def pptx(numbers: Numbers, figures: Mapping[str, Picture], path: Path) -> Path:
    """
    Write the key slides.

    Parameters
    ----------
    numbers : mapping
        See :mod:`territory_lab.reporting.numbers`.
    figures : mapping of str to Picture
        From :func:`territory_lab.reporting.pictures`.
    path : Path
        The presentation.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TerritoryLabError
        If python-pptx is not installed.
    """
    try:
        from pptx import Presentation  # noqa: PLC0415 - an extra
        from pptx.dml.color import RGBColor  # noqa: PLC0415
        from pptx.util import Inches, Pt  # noqa: PLC0415
    except ImportError as error:
        raise TerritoryLabError("no PPTX: pip install 'territory-lab[pptx]'") from error
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDE_IN), Inches(_TALL_IN)
    for title, lines, name in _slides(numbers):
        slide = deck.slides.add_slide(deck.slide_layouts[5])  # a title only, which the outline reads
        picture = figures.get(name)
        box = slide.shapes.title
        box.left, box.top, box.width, box.height = Inches(0.6), Inches(0.4), Inches(_WIDE_IN - 1.2), Inches(1.1)
        box.text_frame.text = title
        text = slide.shapes.add_textbox(
            Inches(0.6), Inches(1.6), Inches(4.2 if picture else _WIDE_IN - 1.2), Inches(_TALL_IN - 2.2)
        ).text_frame
        text.word_wrap = True
        for at, line in enumerate(lines):
            (text.paragraphs[0] if at == 0 else text.add_paragraph()).text = line
        for frame, size, colour in ((box.text_frame, 26, INK), (text, 18, MUTED)):
            for paragraph in frame.paragraphs:
                paragraph.font.size, paragraph.space_after = Pt(size), Pt(10)
                paragraph.font.color.rgb, paragraph.font.bold = RGBColor(*bytes.fromhex(colour[1:])), size == 26
        if picture is not None:
            image, wide, tall = io.BytesIO(), _WIDE_IN - 5.6, _TALL_IN - 2.1
            picture.png(image)
            shown = slide.shapes.add_picture(image, Inches(5.0), Inches(1.6))
            scale = min(Inches(wide) / shown.width, Inches(tall) / shown.height)
            shown.width, shown.height = int(shown.width * scale), int(shown.height * scale)
            shown.element.nvPicPr.cNvPr.set("descr", title)
    return written(path, deck.save)


def _slides(numbers: Numbers) -> Iterator[tuple[str, list[str], str]]:
    """Give title, lines and picture of each slide."""
    tell, keys = Teller(numbers), [one.plain() for one in key_numbers(numbers)]
    key = numbers.get("key", {})

    def plain(text: str, **parts: tuple[str, str]) -> str:
        return told(text, **{name: tell.show(*part) for name, part in parts.items()}).striptags()

    yield decision(numbers).striptags(), [str(one) for one in keys[:3]], ""
    moved = ("territories.facts.moved_workload_h", "percent")
    accounts = [
        f"{row['name'][:60]}: {row['from']} → {row['to']}" for row in tell.find("territories.key_accounts") or []
    ]
    yield plain(say("{work} of the work changes hands"), work=moved), accounts[:6], "map_change"
    brings: list[str] = [str(keys[0])] if "gain" in key else []
    if "break_even_loss_share" in key:
        text = say("Better than today unless more than {even} of the sales that change hands are lost.")
        brings.append(plain(text, even=("key.break_even_loss_share", "percent")))
    yield say("What it brings, what it costs"), [*brings, near_best(tell).striptags()], "frontier"
    outside = [str(one) for one in keys[1:2]] if "gain" in key else [str(one) for one in keys[:1]]
    yield say("How fair it is"), outside, "fairness"
    yield say("How much there is to sell"), [str(one) for one in keys[3:]], "funnel"
    yield say("Risks, and what we do not know"), list((numbers.get("off") or {}).values())[:6], "performance"

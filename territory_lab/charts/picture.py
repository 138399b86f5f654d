"""A figure that knows its own words, and is saved as small, byte-stable SVG that follows the page's colours."""

import io
import re
from html import escape
from textwrap import wrap
from typing import BinaryIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from territory_lab.charts.tokens import FONT, LIGHT, MUTED, WIDTH_IN, styled

_TITLE_CHARS, _SUBTITLE_CHARS = 72, 104
_DROPPED = re.compile(
    r"^.*?(?=<svg)|<metadata>.*?</metadata>|<!--.*?-->|(?<=<g) id=\"[^\"]*\"|<defs>\s*<style.*?</defs>", re.DOTALL
)
_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_LONG = re.compile(r"-?\d+\.\d{2,}")
_FONT = FONT.replace('"', "'")
_TOKENS = re.compile("|".join(sorted(LIGHT.values())))
_NAMES = {colour: name for name, colour in LIGHT.items()}


class Picture(Figure):
    """
    A matplotlib figure with a title that says what is seen and a subtitle that says what is plotted.

    Parameters
    ----------
    title : str
        What is seen, in words.
    subtitle : str
        What is plotted: measure, unit, date, source.
    height : float
        Height of the part below the subtitle, in inches.
    """

    def __init__(self, title: str, subtitle: str, height: float = 3.0) -> None:
        self.title, self.subtitle = title, subtitle
        heads, subs = wrap(title, _TITLE_CHARS), wrap(subtitle, _SUBTITLE_CHARS)
        self.head = 0.12 + 0.225 * len(heads) + 0.165 * len(subs) + 0.16
        self.body = height
        super().__init__(figsize=(WIDTH_IN, self.head + height))
        inch = 1 / (self.head + height)
        self.text(0, 1 - 0.05 * inch, "\n".join(heads), size=12, weight="bold", va="top", linespacing=1.25)
        below = 1 - (0.12 + 0.225 * len(heads)) * inch
        self.text(0, below, "\n".join(subs), size=9, color=MUTED, va="top", linespacing=1.3)

    def axes_below(self, left: float = 0.5, right: float = 0.2, bottom: float = 0.42) -> Axes:
        """
        Add the one pair of axes under the words.

        Parameters
        ----------
        left, right, bottom : float
            Margins in inches.

        Returns
        -------
        Axes
            The empty axes.
        """
        total = self.head + self.body
        return self.add_axes(
            (left / WIDTH_IN, bottom / total, 1 - (left + right) / WIDTH_IN, (self.body - bottom) / total)
        )

    @styled
    def svg(self, captioned: str = "") -> str:
        """
        Give the picture as one ``<svg>`` element with a text alternative.

        Parameters
        ----------
        captioned : str
            Id of the page's own caption, where it has one: the picture then goes without its title and subtitle.

        Returns
        -------
        str
            The same bytes for the same figure; token colours are style-sheet variables with the colour as fallback.
        """
        buffer = io.StringIO()
        own = self.texts[:2]
        for line in own:
            line.set_visible(not captioned)
        self.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        for line in own:
            line.set_visible(True)
        text = re.sub(r"<[^>]+>", _tidy, _DROPPED.sub("", buffer.getvalue()))
        if captioned:  # cut what stood above
            top, left_over = 72 * (self.head - 0.1), 72 * (self.body + 0.1)
            text = re.sub(r'viewBox="0 0 (\S+) \S+"', rf'viewBox="0 {top:.1f} \1 {left_over:.1f}"', text, count=1)
        words = escape(f"{self.title}. {self.subtitle}")
        label = f'aria-labelledby="{escape(captioned)}"' if captioned else f'aria-label="{words}"'
        opening = (
            f'<svg class="picture" role="img" {label} '
            f'style="width:100%;max-width:{WIDTH_IN * 96:.0f}px;height:auto;stroke-linejoin:round" '
        )
        text = opening + text.partition("<svg ")[2]
        return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"

    @styled
    def png(self, file: BinaryIO) -> None:
        """
        Write the picture without its title and subtitle, for a slide that carries them.

        Parameters
        ----------
        file : binary file
            Takes the PNG.
        """
        for line in self.texts[:2]:
            line.set_visible(False)
        below = Bbox.from_extents(0, 0, WIDTH_IN, self.body + 0.1)
        self.savefig(file, format="png", dpi=200, bbox_inches=below, metadata={"Software": None})
        for line in self.texts[:2]:
            line.set_visible(True)

    def _repr_svg_(self) -> str:
        """Show itself in a notebook."""
        return self.svg()


def _tidy(found: re.Match[str]) -> str:
    """Shorten the numbers of one tag and name its colours and font by their tokens; the text stays as typed."""
    tag = re.sub(r'\bd="([^"]*)"', lambda path: f'd="{_short(path[1])}"', found[0])
    tag = re.sub(r'\b(x|y|transform)="[^"]*"', lambda place: _LONG.sub(_rounded, place[0]), tag)
    tag = re.sub(r'(?<=<svg)(.*) (width|height)="[^"]*pt" (width|height)="[^"]*pt"', r"\1", tag)
    tag = re.sub(r"font-family: [^;\"]*", f"font-family: var(--font, {_FONT})", tag)
    tag = re.sub(r"font: ([^;\"]*?px) [^;\"]*", rf"font: \1 var(--font, {_FONT})", tag)
    return _TOKENS.sub(lambda colour: f"var(--{_NAMES[colour[0]]}, {colour[0]})", tag)


def _rounded(found: re.Match[str]) -> str:
    """Write a coordinate to a tenth of a point."""
    return f"{float(found[0]):.1f}"


def _short(path: str) -> str:
    """Round a path to a tenth of a point, drop the points that then coincide, and write steps instead of places."""
    pieces: list[str] = []
    at = (0, 0)
    for command, numbers in _STEP.findall(path):
        tenths = [round(float(x) * 10) for x in numbers.split()]
        if command == "L":
            step = (tenths[0] - at[0], tenths[1] - at[1])
            pieces += [f"l{_tenth(step[0])} {_tenth(step[1])}"] if any(step) else []
        else:
            pieces.append(command + " ".join(map(_tenth, tenths)))
        at = (tenths[-2], tenths[-1]) if tenths else at
    return "".join(pieces).replace(" -", "-")


def _tenth(tenths: int) -> str:
    """Write tenths in the fewest characters."""
    return f"{tenths / 10:.1f}".removesuffix(".0").replace("0.", ".", 1) if abs(tenths) < 10 else f"{tenths / 10:g}"

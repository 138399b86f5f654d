"""The design tokens: one set of colours, type and sizes that charts, maps, tables and pages all read."""

import matplotlib as mpl

LIGHT = {
    "ink": "#1b2733",
    "muted": "#5b6b7a",
    "hairline": "#d9e0e6",
    "paper": "#ffffff",
    "quiet": "#eef1f4",
    "accent": "#0b6e99",
    "good": "#2a7f62",
    "watch": "#9a6412",
    "trouble": "#b3261e",
    "wash": "#dbeaf1",
    "bar": "#5599b6",
}
DARK = {
    "ink": "#e6ebef",
    "muted": "#a3b1bd",
    "hairline": "#36434f",
    "paper": "#12191f",
    "quiet": "#1d2730",
    "accent": "#5bb3d6",
    "good": "#6fc0a0",
    "watch": "#dda94b",
    "trouble": "#f0938a",
    "wash": "#1d3a48",
    "bar": "#2f6f8c",
}
INK, MUTED, HAIRLINE, PAPER, QUIET, ACCENT, GOOD, WATCH, TROUBLE, WASH, BAR = LIGHT.values()

# Text over a map fill keeps its colour in the dark style, because the fill does.
ON_FILL, REST, BORDER = "#17222d", "#e6e9ec", "#3c4a57"
SEQUENTIAL = ("#dcebf2", "#b4d5e3", "#86bbd1", "#579fbc", "#227ea3", "#0a5676", "#053349")
DIVERGING = ("#9c4221", "#cb8358", "#e9c6ad", REST, "#b3d2de", "#5f9fb9", "#0b6e99")
# Paul Tol's "light" scheme, made for dark labels over fills and safe for the colour blind, softened a little.
TERRITORIES = ("#9fc5e8", "#f4b29c", "#84d0b8", "#f5e8b0", "#f7c4d4", "#d3de7e", "#c3ecff", "#cdc67a")

FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif'
WIDTH_IN = 7.5
THEME = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "xtick.color": MUTED,
    "xtick.major.width": 0.6,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "territory_lab",
}
# Decorates whatever draws: the look holds inside the call and never leaks into the caller's own pictures.
styled = mpl.rc_context(THEME)  # type: ignore[arg-type]


def css_tokens() -> str:
    """
    Give the tokens as style-sheet variables, light by default and dark where the reader's system asks for it.

    Returns
    -------
    str
        Rules for ``:root`` with ``--ink``, ``--accent`` and so on, and ``--font``; printing is always light.
    """

    def rules(colours: dict[str, str]) -> str:
        return "".join(f"--{name}:{colour};" for name, colour in colours.items())

    return (
        f":root{{color-scheme:light dark;--font:{FONT};{rules(LIGHT)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{rules(DARK)}}}}}\n"
    )

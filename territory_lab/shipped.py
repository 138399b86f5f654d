"""Where the files that come with the package stand: beside it in a checkout, inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_shipped" if (_PACKAGE / "_shipped").is_dir() else _PACKAGE.parent


def data(*parts: str) -> Path:
    """
    Return the path of a shipped data file.

    Parameters
    ----------
    *parts : str
        Folders and file under ``data/``.

    Returns
    -------
    Path
        Absolute path.
    """
    return _ROOT.joinpath("data", *parts)


def notebooks() -> Path:
    """
    Return the folder of the guided notebooks.

    Returns
    -------
    Path
        Absolute path.
    """
    return _ROOT / "notebooks"

"""The study's report: a Jinja2 template filled with tables, numbers, claims and figures; one HTML page and its PDF.

The context that :func:`render` takes is a dict of

``config``
    ``name`` of the configuration; ``settings`` and ``assumptions``, lists of ``{key, value, unit, source}``
    (:func:`emrestore.config.leaves`).
``numbers``
    ``results/numbers.json``: key -> ``{value, unit}`` and, where there is one, ``ci_low`` and ``ci_high``.
``claims``
    Records of ``results/claims.csv`` (:data:`emrestore.claims.COLUMNS`), values as text.
``tables``
    Name -> records of ``fig03``, ``displaced``, ``cross_sections``.
``figures``
    Name -> path of a PNG or SVG file: ``fig03``, ``fig03_bias``, ``fig03_displaced``.
``provenance``
    A job's record: ``commit``, ``dirty``, ``lock``, ``python``, ``versions``, ``started``.

Templates get these, and the functions ``num``, ``relation``, ``setting``, ``raw_setting`` and ``picture``
defined below. A number, setting or figure that is not there is an error: nothing in the report is typed by
hand.
"""

import base64
import math
import os
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from emrestore.errors import EmrestoreError

TEMPLATE = "report.html.j2"
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
THIN_SPACE, MINUS = "\u202f", "\u2212"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def render(template_dir: Path, context: Mapping) -> str:
    """Fill the template.

    Parameters
    ----------
    template_dir
        Folder of ``report.html.j2`` and ``style.css``.
    context
        As described at the top of this module.

    Returns
    -------
    str
        One self-contained HTML page: style inline, figures as data URIs. Equal contexts give equal pages.

    Raises
    ------
    EmrestoreError
        If the template quotes a number, setting or figure that the context does not hold.
    jinja2.UndefinedError
        If it uses any other name that is not there.
    """
    numbers = context["numbers"]
    settings = {leaf["key"]: leaf for leaf in context["config"]["settings"]}

    def num(key: str, digits: int = 2) -> Markup:
        """Print a number to so many decimals with its 95 % interval and unit; its key shows on hovering."""
        entry = _get(numbers, key, "number")
        text = decimals(entry["value"], digits)
        if "ci_low" in entry:
            text += f" ({decimals(entry['ci_low'], digits)} to {decimals(entry['ci_high'], digits)})"
        unit = THIN_SPACE + entry["unit"] if entry.get("unit") else ""
        return Markup('<span class="num" title="{}">{}{}</span>').format(key, text, unit)

    def relation(key: str, limit: float = 1.0) -> str:
        """Say on which side of a limit the whole 95 % interval lies: ``above``, ``below``, or ``level`` if on both."""
        entry = _get(numbers, key, "number")
        low, high = entry.get("ci_low", entry["value"]), entry.get("ci_high", entry["value"])
        return "above" if low > limit else "below" if high < limit else "level"

    def raw_setting(key: str):
        """Give a setting's value."""
        return _get(settings, key, "setting")["value"]

    def setting(key: str) -> str:
        """Print a setting with its unit."""
        unit = _get(settings, key, "setting")["unit"]
        return plain(raw_setting(key)) + (f"\N{NO-BREAK SPACE}{unit}" if unit else "")

    def picture(name: str) -> str:
        """Give a figure as a data URI."""
        path = Path(_get(context["figures"], name, "figure"))
        return f"data:{MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"

    environment = Environment(
        loader=FileSystemLoader(template_dir),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "printed": printed, "figures": figures}
    functions = [num, relation, setting, raw_setting, picture]
    environment.globals |= {function.__name__: function for function in functions} | {"n": numbers}
    return environment.get_template(TEMPLATE).render(**context)


def write_pdf(html: str, path: Path) -> None:
    """Print a page that :func:`render` made; nothing is fetched from anywhere.

    Parameters
    ----------
    html
        A self-contained page.
    path
        The PDF to write. Equal pages give equal files.
    """
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    # subsets of fonts carry the time they were made, unless this variable fixes it
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    only_data = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    path.write_bytes(HTML(string=html, url_fetcher=only_data).write_pdf(pdf_identifier=b"emrestore"))


def decimals(value: float, digits: int) -> str:
    """Print a number to so many decimals, thousands apart, with a true minus sign."""
    return f"{value:,.{digits}f}".replace(",", THIN_SPACE).replace("-", MINUS)


def figures(value: float | str, digits: int = 3) -> str:
    """Print a number, or text that is one, to so many significant figures; ``–`` where there is none.

    Digits before the decimal point are never rounded away.
    """
    if value == "" or not math.isfinite(number := float(value)):
        return "–"
    if number == 0:
        return "0"
    rounded = f"{number:.{digits - 1}e}"
    if not 1e-3 <= abs(number) < 1e9:
        return printed(rounded)
    return decimals(number, max(digits - 1 - int(rounded.partition("e")[2]), 0))


def printed(text: str) -> str:
    """Print a number as the ledger states it, ``7040000`` or ``2.2e-5``, in its own digits."""
    mantissa, _, exponent = text.partition("e")
    whole, point, rest = mantissa.partition(".")
    grouped = f"{int(whole):,}" if whole.isdigit() else whole
    power = f" × 10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else ""
    return (grouped + point + rest).replace(",", THIN_SPACE).replace("-", MINUS) + power


def plain(value) -> str:
    """Print a setting's value: a number as it was written, lists and mappings in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = f"{value:,}" if abs(value) >= 1e4 else f"{value}"
        return text.replace(",", THIN_SPACE).replace("-", MINUS)
    return str(value)


def _get(mapping: Mapping, key: str, kind: str):
    if key not in mapping:
        raise EmrestoreError(
            f"the report's template uses the {kind} '{key}', which this study does not have; correct its name"
        )
    return mapping[key]

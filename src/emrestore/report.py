"""The study's report: one Typst source, filled with tables, numbers, claims and figures; a web page and a PDF.

The context that :func:`render` takes is a dict of

``config``
    ``name`` of the configuration; ``settings`` and ``assumptions``, lists of ``{key, value, unit, source}``
    (:func:`emrestore.config.leaves`).
``numbers``
    ``results/numbers.json``: key -> ``{value, unit}`` and, where there is one, ``ci_low`` and ``ci_high``.
``claims``
    Records of ``results/claims.csv`` (:data:`emrestore.claims.COLUMNS`), values as text.
``tables``
    Name -> records of ``fig03``, ``displaced``, ``cross_sections``, ``realistic``, ``experiments``, ``ablation``,
    ``benchmark_summary`` and of ``runs``, what was trained and when; where the networks of Fig. 7 have been trained, of
    ``fig07_changes``, ``resolutions``, ``annotations`` and ``comparison_runs``.
``figures``
    Name -> ``{png, pdf}``, the paths of one figure for screen and print, of all figures that the source shows.
``provenance``
    A job's record: ``commit``, ``dirty``, ``lock``, ``python``, ``versions``, ``started``; and ``commits`` of all jobs
    behind the report (:func:`emrestore.trace.commits`).

Numbers are formatted in ``report/format.typ`` alone. A number, setting or figure that is not there is an error: nothing
in the report is typed by hand.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typst

from emrestore.errors import EmrestoreError

SOURCE = "report.typ"


def render(template_dir: Path, context: Mapping, html: Path, pdf: Path) -> None:
    """Write the report as one self-contained HTML page, figures as data URIs, and as a PDF.

    Typst sees a folder that holds its sources, the context and the figures, and the fonts it brings along: nothing
    else of this machine enters the report, and equal contexts give equal files.

    Parameters
    ----------
    template_dir
        Folder of ``report.typ`` and ``format.typ``.
    context
        As described at the top of this module.
    html, pdf
        The files to write.

    Raises
    ------
    EmrestoreError
        If the source quotes a number, setting, figure or field that the context does not hold, or does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for source in template_dir.glob("*.typ"):
            shutil.copy(source, root)
        figures = {}
        for name, paths in context["figures"].items():
            figures[name] = {kind: f"{name}.{kind}" for kind in paths}
            for kind, path in paths.items():
                shutil.copy(path, root / f"{name}.{kind}")
        text = json.dumps(_finite({**context, "figures": figures}), allow_nan=False)
        (root / "context.json").write_text(text, encoding="utf-8")
        for kind, path in (("html", html), ("pdf", pdf)):
            try:
                page = typst.compile(
                    root / SOURCE, root=root, format=kind, sys_inputs={"format": kind}, ignore_system_fonts=True
                )
            except typst.TypstError as error:
                raise EmrestoreError(f"the report cannot be written from {SOURCE}: {error}") from error
            path.write_bytes(page)


def _finite(value):
    """Put None, which JSON has, for numbers that are not finite, which it has not."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

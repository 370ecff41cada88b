"""What stands between Snakemake and the library: running a script, the digest of its code, its record.

A script is ``main(paths..., *, params...)`` and one line, ``if "snakemake" in globals(): run(main, snakemake)``.
:func:`run` hands it the rule's named inputs, outputs and params, so a name too few or too many is a ``TypeError``, and
``main`` can be imported and tested without Snakemake. Outputs are written under temporary names and renamed when all
are complete: a killed job leaves nothing that a later run could take for whole.
"""

import ast
import contextlib
import functools
import hashlib
import inspect
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from emrestore.errors import EmrestoreError

#: Params that belong to the workflow, and to ``main`` only where it asks for them.
WORKFLOW_PARAMS = frozenset({"code"})
#: Packages whose versions decide the numbers.
RECORDED_PACKAGES = ("abtem", "ase", "numpy", "scipy", "torch", "pandas", "matplotlib", "snakemake")


def code_digest(script: Path, package_root: Path) -> str:
    """Digest the code that a script runs: its own and that of every ``emrestore`` module it imports, at any depth.

    Snakemake reruns a rule when its script changes, not when a library module does; passing this digest as a param
    closes the gap. The digest is taken over syntax trees without docstrings, so neither comments nor docstrings nor
    formatting rerun anything. ``emrestore/__init__.py`` holds no logic and is left out.

    Parameters
    ----------
    script
        The script to digest.
    package_root
        The folder ``src/emrestore``.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    root = package_root.resolve()
    modules: dict[str, str] = {}
    todo = [script.resolve()]
    while todo:
        path = todo.pop()
        key = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        if key not in modules:
            modules[key], imported = _read_module(path, path.stat().st_mtime_ns)
            todo.extend(_module_files(imported, root))
    text = "\n".join(f"{key}\n{modules[key]}" for key in sorted(modules))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _read_module(path: Path, _modified_ns: int) -> tuple[str, tuple[str, ...]]:
    """Give a module's syntax tree without docstrings, as text, and the names it imports, inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
                node.body = node.body[1:]
    return ast.dump(tree), tuple(names)


def _module_files(names: tuple[str, ...], root: Path) -> Iterator[Path]:
    """Yield the files behind imported names: `emrestore.a.b.c` runs a/__init__.py, a/b.py or its package, ..."""
    for name in names:
        package, *parts = name.split(".")
        if package == "emrestore":
            for depth in range(1, len(parts) + 1):
                stem = root.joinpath(*parts[:depth])
                yield from (file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file())


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_state(folder: Path) -> dict[str, str | bool]:
    """Give the commit that a folder stands at and whether its tracked files were changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {
            "commit": git("rev-parse", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.CalledProcessError):
        return {"commit": "unknown", "dirty": True}


def _code_state(folder: Path) -> dict[str, str | bool]:
    return git_state(folder) | {"lock": sha256(folder / "envs/requirements.lock")}


def run(main: Callable[..., dict | None], snakemake) -> None:
    """Run a script's ``main`` with the names of a Snakemake rule.

    Parameters
    ----------
    main
        Takes every named input and output of the rule as a ``Path`` (a list of paths where the rule names several) and
        every named param, ``code`` only if it asks for it. What it gives is added to the job's record.
    snakemake
        The object that Snakemake puts into a script's globals.

    Raises
    ------
    SystemExit
        With status 1 after an :class:`EmrestoreError`, whose sentence is printed and logged.
    """
    outputs = {name: Path(value) for name, value in snakemake.output.items()}
    record_path = outputs.pop("record", None)
    temporary = {name: path.with_name(f".partial-{path.name}") for name, path in outputs.items()}
    inputs = {name: _paths(value) for name, value in snakemake.input.items()}
    wanted = inspect.signature(main).parameters
    params = {name: value for name, value in snakemake.params.items() if name not in WORKFLOW_PARAMS or name in wanted}
    _set_threads(snakemake.threads)
    if int(os.environ.get("LOCAL_RANK", 0)):  # one of several devices: log, outputs and record are the first one's
        with open(os.devnull, "w", encoding="utf-8") as nothing, _redirected(nothing):
            main(**inputs, **temporary, **params)
        return
    started, clock = datetime.now(UTC), time.monotonic()
    # as the code was when it was loaded: a long job may see its folder change
    state = _code_state(Path.cwd()) if record_path else {}
    with open(snakemake.log[0], "w", encoding="utf-8", buffering=1) as log, _redirected(log):
        try:
            said = main(**inputs, **temporary, **params)
            for name, path in outputs.items():
                os.replace(temporary[name], path)
            if record_path:
                seconds = time.monotonic() - clock
                _write_record(record_path, snakemake, inputs, outputs, params, state, started, seconds, said or {})
        except EmrestoreError as error:
            print(f"{snakemake.rule}: {error}", file=log)
            print(f"{snakemake.rule}: {error}", file=sys.__stderr__)
            raise SystemExit(1) from None
        except BaseException:
            traceback.print_exc(file=log)
            raise
        finally:
            for path in temporary.values():
                path.unlink(missing_ok=True)


def _paths(value) -> Path | list[Path]:
    return Path(value) if isinstance(value, str) else [Path(item) for item in value]


def _set_threads(threads: int) -> None:
    """Give numerical libraries the rule's threads, so that results do not depend on how many cores a machine has."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(threads)
        # as torch.use_deterministic_algorithms(True), without importing its compiler, which takes each job seconds
        torch.set_deterministic_debug_mode("error")
    if "threadpoolctl" in sys.modules or "numpy" in sys.modules:
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads)


@contextlib.contextmanager
def _redirected(log) -> Iterator[None]:
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        yield


def _write_record(
    path: Path, snakemake, inputs, outputs, params, state: dict, started: datetime, seconds: float, said: dict
) -> None:
    """Write what made the outputs, so that a number can be followed back: see ``emrestore trace``."""
    flat = [path for value in inputs.values() for path in (value if isinstance(value, list) else [value])]
    record = {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "inputs": {str(item): sha256(item) for item in flat if item.is_file()},
        "outputs": {str(item): sha256(item) for item in outputs.values()},
        "params": params,
        "code": snakemake.params.get("code"),
        **state,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in RECORDED_PACKAGES},
        "threads": snakemake.threads,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        **said,
    }
    partial = path.with_name(f".partial-{path.name}")
    partial.write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    os.replace(partial, path)

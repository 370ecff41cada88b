"""The command line: restore micrographs, fit their columns, list the networks."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperGroup

import emrestore
from emrestore import io
from emrestore.errors import EmrestoreError
from emrestore.restore import checked, open_method

#: A progress bar appears on what takes longer than this, in seconds.
PATIENCE = 2.0


class _Sentences(TyperGroup):
    """Commands whose users see one sentence where they can mend something, and a traceback only for our
    defects."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except EmrestoreError as error:
            typer.echo(f"emrestore: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=_Sentences,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Precision(StrEnum):
    """Arithmetic of a network."""

    fp32 = "fp32"
    bf16 = "bf16"
    auto = "auto"


class Axis(StrEnum):
    """An image axis."""

    x = "x"
    y = "y"


class Estimator(StrEnum):
    """How columns are fitted."""

    ls = "ls"
    ml = "ml"


class Width(StrEnum):
    """Whether columns share one width."""

    shared = "shared"
    column = "column"


@app.callback(invoke_without_command=True)
def version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Restoration of single-shot electron micrographs, and what it does to the numbers measured from them."""
    if version:
        typer.echo(f"emrestore {emrestore.__version__}")


@app.command()
def restore(
    images: Annotated[
        list[str],
        typer.Argument(metavar="IN...", help="npy, h5 (file.h5:dataset), tif or png; an image or a stack."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="A file, or a folder for many.")],
    model: Annotated[str, typer.Option(help="hrstem, lrstem, hrtem, lrtem, hrsem, lrsem, bm3d, identity.")] = "hrstem",
    weights: Annotated[
        str, typer.Option(help="published, trained (ours), a file, or auto: published, or ours where a prior is given.")
    ] = "auto",
    precision: Annotated[Precision, typer.Option(help="auto: bf16 where the processor has it.")] = Precision.auto,
    tile: Annotated[int | None, typer.Option(help="Edge in pixels of what the network sees at once.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    prior: Annotated[
        str | None,
        typer.Option(
            help="Belief in a lattice, of networks of ours for hr images: strong, balanced, honest, or 0 to 1."
        ),
    ] = None,
    fast_axis: Annotated[Axis, typer.Option(help="The axis the scan runs along, left to right or down.")] = Axis.x,
) -> None:
    """Restore micrographs. STEM and SEM networks want the fast scan axis along x, left to right."""
    outputs = _outputs(images, output)
    for source, target in zip(images, outputs, strict=True):
        io.check_source(source)
        io.check_suffix(target)
    method = open_method(model, weights, precision=precision, tile=tile, device=device, prior=prior)
    typer.echo(method.description, err=True)
    failed = 0
    for source, target in zip(images, outputs, strict=True):
        try:
            image = io.read(source)
            io.check_target(target, image.data.shape)
            with _progress(source) as progress:
                restored = emrestore.restore(image.data, method=method, fast_axis=fast_axis, progress=progress)
        except EmrestoreError as error:
            sentence = str(error) if source in str(error) else f"{source}: {error}"
            if len(images) == 1:
                raise EmrestoreError(sentence) from None
            typer.echo(f"emrestore: {sentence}", err=True)
            failed += 1
            continue
        _make_folder(target.parent)
        io.write(target, io.Image(restored, image.pixel_size))
    if failed:
        raise EmrestoreError(
            f"{len(images) - failed} of {len(images)} files are restored, {failed} not, for the reasons above"
        )


@app.command()
def columns(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="npy, h5 (file.h5:dataset), tif or png; one image.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="CSV", help="The table to write.")],
    positions: Annotated[
        str,
        typer.Option(help="auto, or a file of starting positions [px]: csv with columns x and y, or npy (n, 2)."),
    ] = "auto",
    spacing: Annotated[
        float | None, typer.Option(help="Of neighbouring columns [px], to find them by; default: from the image.")
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Å; default: the file's, else 1.")] = None,
    estimator: Annotated[Estimator, typer.Option(help="Least squares or Poisson likelihood.")] = Estimator.ls,
    width: Annotated[Width, typer.Option(help="One width for all columns, or one each.")] = Width.shared,
    joint: Annotated[
        bool,
        typer.Option("--joint/--alone", help="All columns together on one background, or each in a window of its own."),
    ] = True,
) -> None:
    """Find atomic columns and fit positions, widths and cross sections, with standard errors."""
    if output.suffix.lower() != ".csv":
        raise EmrestoreError(f"the table is written as csv, not as {output.name}")
    source = io.read(image)
    data = source.data.reshape(-1, *source.data.shape[-2:])
    if len(data) != 1:
        raise EmrestoreError(f"{image} holds {len(data)} images; columns are fitted in one")
    if pixel_size is None and source.pixel_size is None:
        typer.echo(f"no pixel size in {image}: lengths in Å are for 1 Å; give --pixel-size", err=True)
    size = _square(source, image) if pixel_size is None else pixel_size
    from emrestore.columns.detect import detect_columns
    from emrestore.columns.fit import fit_columns, moved_inside, soundness

    pixels = checked(data[0])
    if positions == "auto":
        start = detect_columns(pixels, spacing=spacing)
    else:
        start = moved_inside(io.read_positions(positions), pixels.shape)
    with _progress(image):
        table = fit_columns(pixels, start, pixel_size=size, estimator=estimator, width=width, joint=joint)
    _make_folder(output.parent)
    with io.atomic_path(output) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    typer.echo(f"{output}: {soundness(table)}", err=True)
    if joint and not table["converged"].any():
        typer.echo("one background and one fit for all do not suit this image: try --alone", err=True)


@app.command()
def models() -> None:
    """List the networks: modality, weights, size, licence, checksum, and how to get what is not here."""
    from emrestore import authors
    from emrestore.network import published
    from emrestore.network import weights as weights_file
    from emrestore.network.cgrdn import CGRDN

    parameters = f"{sum(p.numel() for p in CGRDN().parameters()):,}"
    table = Table("model", "weights", "parameters", "licence", "SHA-256", "state", caption="identity: no restoration")
    for model, digest in published.SHA256.items():
        origin = f"published ({authors.PACKAGE} {authors.VERSION})"
        table.add_row(model, origin, parameters, authors.LICENCE, digest[:12], published.state(model))
        if (path := weights_file.shipped(model)) is not None:
            metadata = weights_file.read_metadata(path)
            own = f"{weights_file.parameters(metadata):,}"
            table.add_row(model, "trained", own, "GPL-3.0-or-later", metadata["tensors_sha256"][:12], "here")
    # not cut to 80 characters where the output goes to a file
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)


@app.command()
def trace(
    result: Annotated[str, typer.Argument(help="A file that the study made, or the id of a claim.")],
) -> None:
    """Follow a result of the study back to the jobs, code and inputs that it came from."""
    from emrestore.trace import claim, trace, trace_claim

    path = Path(result)
    if not path.suffix and not path.exists():
        known = claim(result)
        value, low, high = (
            f"{float(text):.4g}" if text else ""
            for text in (known["measured_published"] or known["measured_trained"], known["ci_low"], known["ci_high"])
        )
        words = [value, known["unit"], f"({low} to {high})" if low else ""]
        typer.echo(f"{known['statement']} Measured: {' '.join(filter(None, words))}, {known['status']}.")
        steps = trace_claim(result)
    else:
        steps = trace(path)
    for step in steps:
        made = ""
        if step.record:
            made = f"  {step.record['rule']}, commit {step.record['commit'][:12]}"
            seed, code = step.record["params"].get("seed"), step.record["code"]
            made += " with changes" if step.record["dirty"] else ""
            made += f", seed {seed}" if seed is not None else ""
            made += f", code {code[:12]}" if code else ""
        typer.echo(f"{'  ' * step.depth}{step.path}  [{step.state}]{made}")


def _outputs(images: list[str], output: Path) -> list[Path]:
    """Give a file to write for each input; none of them twice, none of them an input."""
    sources = [io.split_dataset(image)[0] for image in images]
    if output.is_dir() or not output.suffix:
        targets = [output / source.name for source in sources]
    elif len(images) == 1:
        targets = [output]
    else:
        raise EmrestoreError(f"{len(images)} images need a folder to be written to, not the file {output}")
    clash = {target for target in targets if targets.count(target) > 1}
    if clash:
        raise EmrestoreError(f"two inputs would be written to {clash.pop()}; restore them one at a time")
    for source, target in zip(sources, targets, strict=True):
        if source.resolve() == target.resolve():
            raise EmrestoreError(f"{target} would overwrite its input; choose another output")
    for folder in {target.parent for target in targets}:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            raise EmrestoreError(f"{folder} cannot be made a folder ({there} is a file)")
    return targets


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmrestoreError(f"{folder} cannot be made a folder ({error.strerror})") from error


def _square(image: io.Image, name: str) -> float:
    """Give the pixel size in Å of an image whose pixels are square; 1 where its file says none."""
    y, x = image.pixel_size or (1.0, 1.0)
    if abs(y - x) > 1e-3 * x:
        raise EmrestoreError(f"the pixels of {name} are {y:g} x {x:g} Å; columns are fitted in square pixels")
    return x


@contextmanager
def _progress(name: str) -> Iterator[Callable[[float], None]]:
    """Give a callback for the fraction done; on a terminal, a bar appears after PATIENCE seconds."""
    shapes = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*shapes, console=Console(stderr=True), disable=not sys.stderr.isatty())
    task = bar.add_task(name, total=None)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.start()
    try:
        yield lambda fraction: bar.update(task, total=1.0, completed=fraction)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()

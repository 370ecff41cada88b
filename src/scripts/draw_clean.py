"""Make one shard of clean images."""

from pathlib import Path

from rich.progress import track

from emrestore import store
from emrestore.image import clean, shard
from emrestore.workflow import run


def main(images: Path, *, modality: str, split: str, number: int, size: int, generator: dict, seed: int) -> None:
    """Write images ``number * size`` and on of a split, and say how often specimens were drawn again."""
    ranges = clean.build(generator)
    numbers = range(number * size, (number + 1) * size)
    bar = track(numbers, f"{modality} {split} {number}")
    dataset = shard.draw(ranges, modality, split, numbers, seed, bar)
    again = [reason for drawn in shard.drawn(dataset) for reason in drawn.get("redrawn", [])]
    print(f"{len(numbers)} images, {len(again)} specimens drawn again")
    for reason in sorted(set(again)):
        print(f"{again.count(reason):6d}  {reason}")
    store.write(dataset, images, {"modality": modality, "split": split, "generator": generator, "seed": seed})


if "snakemake" in globals():
    run(main, snakemake)

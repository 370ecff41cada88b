"""Time of restoring 8 x 256 x 256 pixels with the published HR-STEM network, beside the authors' TensorFlow route.

    python benchmarks/restore.py --tensorflow-python /path/to/python

names the interpreter of an environment that holds TensorFlow 2.21 (`pip install tensorflow-cpu==2.21.*`); emrestore's
own environment does not. Both routes are kept loaded, take turns, and are timed one image at a time, and as one batch,
on the same threads; the least of all repeats counts, so that other work on the machine shows as little as possible.
"""

import argparse
import os
import subprocess
import sys
import time

import numpy as np
from _record import record

# loads the authors' model, then times one pass for every line it reads: the number of images in a batch
TENSORFLOW = """
import sys, time
import numpy as np, tensorflow as tf
threads = int(sys.argv[2])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(1)
images = np.load(sys.argv[3])[..., None]
infer = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
(name,) = infer.structured_input_signature[1]
print(tf.__version__, flush=True)
for line in sys.stdin:
    size = int(line)
    started = time.perf_counter()
    batches = [images[i : i + size] for i in range(0, 8, size)]
    outputs = [next(iter(infer(**{name: tf.constant(batch)}).values())).numpy() for batch in batches]
    print(time.perf_counter() - started, flush=True)
    np.save(sys.argv[4], np.concatenate(outputs)[..., 0])
"""


class TensorFlow:
    """The authors' model in a process of its own."""

    def __init__(self, python: str, model: str, threads: int, images: str, output: str):
        words = [python, "-c", TENSORFLOW, model, str(threads), images, output]
        environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, bufsize=1
        )
        self.version = self.process.stdout.readline().strip()

    def __call__(self, size: int) -> float:
        """Restore the images `size` at a time; gives seconds."""
        self.process.stdin.write(f"{size}\n")
        return float(self.process.stdout.readline())


def main() -> None:
    """Measure, record, and fail where a floor is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tensorflow-python", required=True, metavar="PATH")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)

    import tempfile

    import torch

    from emrestore.network import published
    from emrestore.restore import open_method, restore

    torch.set_num_threads(options.threads)
    images = np.random.default_rng(0).poisson(20, (8, 256, 256)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        files = f"{folder}/images.npy", f"{folder}/restored.npy"
        np.save(files[0], images)
        model = str(published.package_file("models/sfr_hrstem"))
        tensorflow = TensorFlow(options.tensorflow_python, model, options.threads, *files)
        methods = {p: open_method("hrstem", "published", precision=p, device="cpu") for p in ("fp32", "bf16")}
        seconds: dict[str, list[float]] = {"TensorFlow": [], "fp32": [], "bf16": []}
        restored = {}
        for _ in range(options.repeats):
            seconds["TensorFlow"] += [tensorflow(1), tensorflow(8)]
            for precision, method in methods.items():
                started = time.perf_counter()
                restored[precision] = restore(images, method=method)
                seconds[precision].append(time.perf_counter() - started)
        expected = np.load(files[1])
    # what is timed is the same computation
    assert np.abs(restored["fp32"] - expected).max() < 1e-5 * np.abs(expected).max()

    least = {name: min(times) / len(images) for name, times in seconds.items()}
    reference = f"TensorFlow {tensorflow.version}, the authors' saved model, float32"
    common = dict(benchmark="restore", unit="s per 256 x 256 image", cores=options.threads)
    record(quantity="TensorFlow float32", value=least["TensorFlow"], versions=reference, packages=(), **common)
    missed = []
    for precision, name, floor in (("fp32", "float32", 0.9), ("bf16", "bfloat16", 1.7)):
        ratio = least["TensorFlow"] / least[precision]
        record(quantity=f"emrestore {name}", value=least[precision], reference=reference, ratio=ratio, **common)
        if ratio < floor:
            missed.append(f"{name} is {ratio:.2f} times as fast as TensorFlow; the floor is {floor}")
    sys.exit("; ".join(missed) or None)


if __name__ == "__main__":
    main()

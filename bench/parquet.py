"""What a Parquet file costs, written by us and by pyarrow, and what pyarrow would add to the serving install.

`python -m bench.parquet`
"""

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from latent import GeneratorCard
from latent.containers import container
from latent.dataset import BLOCK, Dataset
from latent.png import encode_pngs, store_pngs
from latent.runs import Images, parts
from service.inference.generator import Generator
from service.settings import ROOT

IMAGES = 9_472
MEMORY = "import psutil; print(psutil.Process().memory_info().rss / 2**20)"


def main() -> None:
    folder = Path(pa.__file__).parent
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 2**20
    more = memory("import numpy, pyarrow.parquet") - memory("import numpy")
    print(f"pyarrow {pa.__version__}: {disk:.0f} MiB on the disk, {more:.0f} MiB in memory")
    for name in ("mnist-infogan", "fashion-infogan"):
        compare(ROOT / f"models/{name}.onnx")


def compare(path: Path) -> None:
    generator = Generator(path, threads=1)
    card = generator.version.card
    dataset = Dataset(card.space, 1, 0, IMAGES)
    images = [generator.generate(dataset.codes(items)) for items in dataset.blocks()]
    show(card.name, "ours, PNGs as they are", lambda: ours(dataset, card, images))
    show(card.name, "pyarrow, PNGs as they are", lambda: theirs(dataset, store_pngs, images))
    show(card.name, "pyarrow, compressed PNGs", lambda: theirs(dataset, encode_pngs, images))


def ours(dataset: Dataset, card: GeneratorCard, images: list[Images]) -> int:
    blocks = iter(images)
    runs = container("parquet", dataset, card).runs()
    return sum(len(part.write(next(blocks) if part.items else images[0])) for part in parts(runs))


def theirs(dataset: Dataset, encode: Callable[[Images], list[bytes]], images: list[Images]) -> int:
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema({"image": kind, "label": pa.int64(), "index": pa.int64()})
    file = io.BytesIO()
    with parquet.ParquetWriter(file, schema, compression="none", use_dictionary=False) as writer:
        rows = []
        for items, block in zip(dataset.blocks(), images, strict=True):
            labels = dataset.labels(items).tolist()
            rows += [
                {"image": {"bytes": png, "path": f"{item:019d}.png"}, "label": label, "index": item}
                for item, png, label in zip(items, encode(block), labels, strict=True)
            ]
        writer.write_table(pa.Table.from_pylist(rows, schema))
    return len(file.getvalue())


def memory(statement: str) -> float:
    """The MiB of a process that does this."""
    command = [sys.executable, "-c", f"{statement}; {MEMORY}"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def show(name: str, how: str, write: Callable[[], int]) -> None:
    """The bytes, and the least processor time of three."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        written = write()
        taken.append(time.process_time() - started)
    print(f"{name:16} {how:26} {written / IMAGES:6.0f} bytes, {min(taken) / IMAGES * 1e6:5.1f} us an image")


if __name__ == "__main__":
    assert IMAGES % BLOCK == 0
    main()

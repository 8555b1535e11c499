"""The same pictures in every way that people keep them."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.training.conftest import drawn_digits
from training.datasets.images import ImageSet, load_images
from training.errors import DataUnavailable

DIGITS = drawn_digits(60)
PIXELS = DIGITS.images[:, 0].numpy()
"""(60, 28, 28)"""
LABELS = DIGITS.labels.numpy()
NAMES = tuple("0123456789")

Write = Callable[[Path], Path]


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pngs() -> dict[str, bytes]:
    return {f"digits/{label}/{k:03}.png": png(PIXELS[k]) for k, label in enumerate(LABELS.tolist())}


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def as_folder(root: Path) -> Path:
    for name, content in pngs().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root / "digits"


def as_zip(root: Path) -> Path:
    with zipfile.ZipFile(root / "digits.zip", "w") as archive:
        for name, content in {**pngs(), "digits/readme.txt": b"", "__MACOSX/._a.png": b""}.items():
            archive.writestr(name, content)
    return root / "digits.zip"


def as_tar_of_folders(root: Path) -> Path:
    write_tar(root / "digits.tgz", {f"./{name}": content for name, content in pngs().items()})
    return root / "digits.tgz"


def webdataset(rows: range) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for k in rows:
        files |= {f"{k:06}.input.png": png(PIXELS[k]), f"{k:06}.cls": str(LABELS[k]).encode()}
    return files


def as_webdataset(root: Path) -> Path:
    write_tar(root / "digits.tar", webdataset(range(60)))
    return root / "digits.tar"


def as_webdataset_of_indices(root: Path) -> Path:
    files = {name.replace(".cls", ".index"): content for name, content in webdataset(range(60)).items()}
    write_tar(root / "digits.tar", files | {f"{k:06}.json": b"{}" for k in range(60)})
    return root / "digits.tar"


def as_webdataset_of_texts(root: Path) -> Path:
    write_tar(
        root / "digits.tar", {f"{name}.txt" if ".cls" in name else name: c for name, c in webdataset(range(60)).items()}
    )
    return root / "digits.tar"


def as_shards(root: Path) -> Path:
    (root / "digits").mkdir()
    for k in range(3):
        write_tar(root / "digits" / f"part-{k}.tar", webdataset(range(20 * k, 20 * k + 20)))
    return root / "digits"


def as_parquet(root: Path) -> Path:
    images = [{"bytes": png(pixels), "path": None} for pixels in PIXELS]
    label = {"names": list(NAMES), "_type": "ClassLabel"}
    told = json.dumps({"info": {"features": {"image": {"_type": "Image"}, "label": label}}})
    table = pa.table({"image": images, "label": LABELS}).replace_schema_metadata({"huggingface": told})
    pq.write_table(table, root / "digits.parquet", row_group_size=25)
    return root / "digits.parquet"


def as_npz(root: Path) -> Path:
    np.savez(root / "digits.npz", images=PIXELS / 255.0, labels=LABELS[:, None])
    return root / "digits.npz"


def as_npy(root: Path) -> Path:
    np.save(root / "digits_images.npy", PIXELS[:, None].astype(np.uint16) * 257)
    np.save(root / "digits_labels.npy", LABELS)
    return root / "digits_images.npy"


WAYS = (
    as_folder,
    as_zip,
    as_tar_of_folders,
    as_webdataset,
    as_webdataset_of_indices,
    as_webdataset_of_texts,
    as_shards,
    as_parquet,
    as_npz,
    as_npy,
)


def both(path: Path) -> tuple[ImageSet, ImageSet]:
    train, test = (load_images(str(path), Path("data"), train=part) for part in (True, False))
    return train, test


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_the_same_pictures_are_read_whatever_holds_them(tmp_path: Path, write: Write) -> None:
    train, test = both(write(tmp_path))
    assert train.classes == NAMES
    assert (len(train), len(test)) == (50, 10)
    assert train.labels.tolist() == [k // 5 for k in range(50)]
    for label in range(10):
        rows = np.flatnonzero(label == LABELS)
        assert np.array_equal(train.images[train.labels == label][:, 0], PIXELS[rows[:5]])
        assert np.array_equal(test.images[test.labels == label][:, 0], PIXELS[rows[5:]])
    assert train.contents() == test.contents()
    assert train.card.name.startswith("digits")


def test_the_names_of_files_say_which_are_for_the_test(tmp_path: Path) -> None:
    for name, rows in (("train-00000-of-00001", slice(0, 40)), ("test-00000-of-00001", slice(40, 60))):
        images = [{"bytes": png(pixels), "path": "a.png"} for pixels in PIXELS[rows]]
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(pa.table({"image": images, "label": LABELS[rows]}), tmp_path / "data" / f"{name}.parquet")
    train, test = both(tmp_path)
    assert (len(train), len(test)) == (40, 20)
    np.savez(tmp_path / "both.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS[:20], y_test=LABELS[:20])
    train, test = both(tmp_path / "both.npz")
    assert (len(train), len(test)) == (60, 20)


def test_the_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    rows = {"train": slice(0, 40), "test": slice(40, 60)}
    for way in ("npz", "npy", "zip"):
        (tmp_path / way).mkdir()
    for split, part in rows.items():
        np.savez(tmp_path / "npz" / f"{split}.npz", images=PIXELS[part], labels=LABELS[part])
        np.save(tmp_path / "npy" / f"X_{split}.npy", PIXELS[part])
        np.save(tmp_path / "npy" / f"y_{split}.npy", LABELS[part])
        with zipfile.ZipFile(tmp_path / "zip" / f"{split}.zip", "w") as archive:
            for name, content in list(pngs().items())[part]:
                archive.writestr(name.replace("digits", split), content)
    for way in ("npz", "npy", "zip"):
        train, test = both(tmp_path / way)
        assert train.classes == test.classes == NAMES
        assert (len(train), len(test)) == (40, 20)
    np.save(tmp_path / "npy" / "ids_train.npy", np.arange(40))
    with pytest.raises(DataUnavailable, match=r"'y_train' of shape .* is there twice"):
        both(tmp_path / "npy")


def test_shards_may_have_pictures_of_the_same_name(tmp_path: Path) -> None:
    for shard, part in (("a", slice(0, 30)), ("b", slice(30, 60))):
        with zipfile.ZipFile(tmp_path / f"{shard}.zip", "w") as archive:
            for k, (pixels, label) in enumerate(zip(PIXELS[part], LABELS[part] % 2, strict=True)):
                archive.writestr(f"{label}/{k}.png", png(pixels))
    train, test = both(tmp_path)
    assert len(train) + len(test) == 60


def test_a_zip_file_may_part_folders_as_windows_does(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for name, content in pngs().items():
            member = zipfile.ZipInfo()
            member.filename = name.replace("/", "\\")
            archive.writestr(member, content)
    assert both(tmp_path / "digits.zip")[0].classes == NAMES


def test_labels_may_be_words_and_colours_may_come_first(tmp_path: Path) -> None:
    colours = np.stack([PIXELS, PIXELS // 2, PIXELS // 3], 1)
    words = np.array(["even", "odd"])[LABELS % 2]
    np.savez(tmp_path / "digits.npz", X=colours, target=words)
    train, _ = both(tmp_path / "digits.npz")
    assert train.classes == ("even", "odd")
    assert train.shape.channels == 3


def test_without_labels_there_is_one_class(tmp_path: Path) -> None:
    np.save(tmp_path / "things.npy", PIXELS)
    assert both(tmp_path / "things.npy")[0].classes == ("things",)
    images = [png(pixels) for pixels in PIXELS]
    pq.write_table(pa.table({"image": images}), tmp_path / "things.parquet")
    assert both(tmp_path / "things.parquet")[0].classes == ("things",)


def cut(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize("write", [as_zip, as_webdataset, as_tar_of_folders, as_parquet, as_npz, as_npy])
def test_a_file_that_ends_early_is_named_in_one_line(tmp_path: Path, write: Write) -> None:
    path = cut(write(tmp_path))
    with pytest.raises(DataUnavailable) as refused:
        both(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_that_hold_something_else_say_what_is_missing(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "text.parquet")
    pq.write_table(pa.table({"image": [{"bytes": None, "path": "a.png"}]}), tmp_path / "paths.parquet")
    np.savez(tmp_path / "flat.npz", images=PIXELS.reshape(60, -1))
    np.savez(tmp_path / "few.npz", images=PIXELS, labels=LABELS[:-1])
    np.save(tmp_path / "wide.npy", PIXELS * 1e6)
    np.savez(tmp_path / "objects.npz", images=np.array([{}, None]))
    write_tar(tmp_path / "half.tar", {"1.png": png(PIXELS[0]), "2.png": png(PIXELS[0]), "2.cls": b"0"})
    write_tar(tmp_path / "captions.tar", {"1.png": png(PIXELS[0]), "1.txt": b"a seven", "1.json": b'{"label": 7}'})
    (tmp_path / "notes.txt").write_text("nothing")
    for name, what in {
        "text.parquet": "no column of images",
        "paths.parquet": "row 0: column 'image' holds no picture",
        "flat.npz": r"shape \(60, 784\)",
        "few.npz": "60 images and 59 labels",
        "wide.npy": "values from 0 to",
        "objects.npz": "numpy.savez",
        "half.tar": "1.png has no 1.cls",
        "captions.tar": r"beside its pictures are .json and .txt files.*file .cls beside it",
        "notes.txt": "none of the files that hold a data set",
        "gone.npz": "is not a folder, nor a file",
    }.items():
        with pytest.raises(DataUnavailable, match=what):
            both(tmp_path / name)

import io
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent.archives import MANY, Zip, tar_header, tar_member, tar_padding

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/\\", exclude_categories=["C"]), min_size=1, max_size=40
)
plain = st.text("abcxyz0189._-/", min_size=1, max_size=99)
files = st.lists(st.tuples(names, st.binary(max_size=600)), max_size=8, unique_by=lambda file: file[0])


def zipped(members: list[tuple[str, bytes]]) -> bytes:
    archive = Zip()
    return b"".join([*(archive.member(name, content) for name, content in members), archive.end()])


@given(files)
def test_a_zip_has_its_files_in_order_and_is_the_same_each_time(members: list[tuple[str, bytes]]) -> None:
    content = zipped(members)
    assert content == zipped(members)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert [(name, archive.read(name)) for name in archive.namelist()] == members
        assert {info.date_time for info in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


def test_a_reader_of_a_stream_knows_the_length_of_a_file_before_it_begins() -> None:
    content = zipped([("a.png", b"x" * 300)])
    assert content[6:8] == (0x800).to_bytes(2, "little")  # no data descriptor follows: bit 3 is clear
    assert content[18:22] == content[22:26] == (300).to_bytes(4, "little")


@pytest.mark.parametrize("count", [MANY - 1, MANY, MANY + 1])
def test_a_zip_may_have_more_files_than_the_older_form_can_count(count: int) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped([(str(number), b"") for number in range(count)]))) as archive:
        assert len(archive.namelist()) == count


@given(plain, st.binary(max_size=2_000))
def test_a_small_file_in_a_tar_is_as_tarfile_writes_it(name: str, content: bytes) -> None:
    assert tar_member(name, content) == tar_header(name, len(content)) + content + tar_padding(len(content))


@given(st.lists(st.tuples(plain, st.binary(max_size=600)), max_size=8))
def test_tarfile_reads_the_files(members: list[tuple[str, bytes]]) -> None:
    content = b"".join(tar_member(name, content) for name, content in members) + bytes(2 * tarfile.BLOCKSIZE)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert [info.size for info in archive] == [len(content) for _, content in members]

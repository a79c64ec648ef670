"""Keys are made once, kept closed, and differ by purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import keys
from models.errors import Misconfigured


def test_a_new_key_file_is_for_its_owner_only_and_reads_back(tmp_path: Path) -> None:
    made = keys.create(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert keys.load(tmp_path / "key") == made


def test_an_existing_key_file_is_never_replaced(tmp_path: Path) -> None:
    keys.create(tmp_path / "key")
    with pytest.raises(FileExistsError):
        keys.create(tmp_path / "key")


def test_a_key_file_open_to_others_is_refused(tmp_path: Path) -> None:
    keys.create(tmp_path / "key")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        keys.load(tmp_path / "key")


@pytest.mark.parametrize("content", ["", "xyz", "00" * 31])
def test_a_damaged_key_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Misconfigured):
        keys.load(path)


def test_sealed_values_open_only_with_their_purpose_and_context() -> None:
    own = keys.Keys(b"k" * 32)
    sealed = own.seal("reporter", "王".encode(), b"id-1")
    assert own.unseal("reporter", sealed, b"id-1").decode() == "王"
    for purpose, context in (("receipt", b"id-1"), ("reporter", b"id-2")):
        with pytest.raises(Misconfigured):
            own.unseal(purpose, sealed, context)


def test_a_key_never_shows_itself() -> None:
    assert "6b6b" not in repr(keys.Keys(b"k" * 32))
    assert "kkkk" not in repr(keys.Keys(b"k" * 32))


def test_hashes_tell_where_one_part_ends() -> None:
    own = keys.Keys(b"k" * 32)
    assert own.digest("content", b"ab", b"c") != own.digest("content", b"a", b"bc")

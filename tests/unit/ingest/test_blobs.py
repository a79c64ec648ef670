import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import obstore
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore, S3Store

from ingest import sealing
from ingest.blobs import Blobs, StoredBlobs, open_blobs
from models.errors import Misconfigured, NotFound, Unavailable
from models.keys import Keys

KEK = bytes(range(32))
DATA_KEY = bytes(range(32, 64))
NONCE = bytes(range(64, 76))
CHUNK = sealing.CHUNK_BYTES
VECTORS = {
    0: "7885c0eb205606d46fef705e7a98cef6e46e8cf77d5ba69ce00fb99133723597",
    1: "d4239498dcf2a71f14277c16b7ccf233ba2199dff295df1ef79306210acf1b57",
    65_536: "210ca3059e2d38a9b87434089accfb81d47d4ae039d6c6d76d6dbc346c436fec",
    65_537: "bf7e213899e5c1932242533f060cc9ab58e3cc644ada880d21e1772312d87c74",
    200_000: "561f465f930e4c77ae75b9de6f82149221d75776fc06ec9916ea2a999d248713",
}


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def frame(plain: bytes, name: str = "media/vector") -> bytes:
    head = sealing.header(KEK, name, DATA_KEY, NONCE)
    count = max(1, -(-len(plain) // CHUNK))
    return head + b"".join(
        sealing.seal_chunk(
            DATA_KEY, head, n, plain[n * CHUNK : (n + 1) * CHUNK], last=n == count - 1
        )
        for n in range(count)
    )


@pytest.mark.parametrize("size", VECTORS)
def test_the_framing_never_changes(size: int) -> None:
    framed = frame(pattern(size))
    assert hashlib.sha256(framed).hexdigest() == VECTORS[size]
    assert sealing.plain_size(len(framed)) == size


def test_the_framing_is_what_its_description_says() -> None:
    framed = frame("乡音".encode())
    data_key = AESGCM(KEK).decrypt(framed[4:16], framed[16:64], b"XYB1media/vector")
    assert data_key == DATA_KEY
    opened = AESGCM(data_key).decrypt(bytes(11) + b"\x01", framed[64:], framed[:64])
    assert opened.decode() == "乡音"


class Counting(StoredBlobs):
    """Blobs that count the chunks they fetch."""

    fetched = 0

    def _fetch(self, key: str, wanted: range) -> bytes:
        self.fetched += len(wanted)
        return super()._fetch(key, wanted)


@pytest.fixture(params=["folder", "memory"])
def any_blobs(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> Blobs:
    url = (tmp_path / "a folder").as_uri() if request.param == "folder" else "memory:///"
    return open_blobs(url, keys)


def put(blobs: Blobs, key: str, plain: bytes, piece: int = 50_000) -> None:
    with blobs.writer(key) as writer:
        for at in range(0, len(plain), piece):
            writer.write(plain[at : at + piece])
        assert writer.commit() == len(plain)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 7_000_000])
def test_what_was_written_is_read(any_blobs: Blobs, size: int) -> None:
    plain = pattern(size)
    put(any_blobs, "media/a", plain)
    assert b"".join(any_blobs.read("media/a")) == plain
    assert any_blobs.size("media/a") == size


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 5 * CHUNK + 100), st.integers(0, 3 * CHUNK))
def test_a_range_is_the_slice_of_the_whole(keys: Keys, start: int, length: int) -> None:
    plain = pattern(4 * CHUNK + 17)
    blobs = open_blobs("memory:///", keys)
    put(blobs, "media/a", plain)
    assert b"".join(blobs.read("media/a", start, length)) == plain[start : start + length]


def test_a_range_opens_only_the_chunks_it_lies_in(keys: Keys) -> None:
    blobs = Counting(MemoryStore(), keys)
    plain = pattern(100 * CHUNK)
    put(blobs, "media/a", plain)
    at = 50 * CHUNK - 500
    assert b"".join(blobs.read("media/a", at, 1000)) == plain[at : at + 1000]
    assert blobs.fetched == 2


def test_nothing_is_seen_of_an_attempt_that_was_not_committed(tmp_path: Path, keys: Keys) -> None:
    blobs = open_blobs((tmp_path / "blobs").as_uri(), keys, tmp_path / "staging")
    with blobs.writer("media/a") as writer:
        writer.write(pattern(300_000))
    with pytest.raises(NotFound):
        blobs.size("media/a")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_an_abandoned_attempt_leaves_the_blob_of_that_name(any_blobs: Blobs) -> None:
    put(any_blobs, "media/a", b"first")
    with pytest.raises(RuntimeError), any_blobs.writer("media/a") as writer:
        writer.write(b"second")
        raise RuntimeError
    assert b"".join(any_blobs.read("media/a")) == b"first"


def test_each_attempt_has_a_key_of_its_own(keys: Keys) -> None:
    store = MemoryStore()
    blobs = StoredBlobs(store, keys)
    seen = set()
    for _ in range(3):
        put(blobs, "media/a", b"the same")
        seen.add(bytes(store.get("media/a").bytes()))
    assert len({framed[64:] for framed in seen}) == 3


def test_no_byte_of_what_was_said_lies_on_disk(tmp_path: Path, keys: Keys) -> None:
    blobs = open_blobs((tmp_path / "blobs").as_uri(), keys, tmp_path / "staging")
    marked = b"a marked sentence " * 10_000
    with blobs.writer("media/a") as writer:
        writer.write(marked)
        staged = writer._file  # type: ignore[attr-defined]
        staged.flush()
        staged.seek(0)
        assert b"marked" not in staged.read()
        writer.commit()
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        assert b"marked" not in path.read_bytes()


@pytest.mark.parametrize("at", [0, 3, 4, 20, 63, 64, 1000, CHUNK + 90, -1])
def test_a_flipped_bit_is_caught(keys: Keys, at: int) -> None:
    store = MemoryStore()
    blobs = StoredBlobs(store, keys)
    put(blobs, "media/a", pattern(2 * CHUNK + 5))
    framed = bytearray(store.get("media/a").bytes())
    framed[at] ^= 0x10
    store.put("media/a", bytes(framed))
    with pytest.raises(Misconfigured) as caught:
        list(blobs.read("media/a"))
    assert caught.value.code == "blob_damaged"


@pytest.mark.parametrize(
    "kept", [1, 63, 64, 70, 64 + CHUNK + 16, 64 + 2 * (CHUNK + 16), 64 + 2 * (CHUNK + 16) + 20]
)
def test_a_truncated_blob_is_caught(keys: Keys, kept: int) -> None:
    store = MemoryStore()
    blobs = StoredBlobs(store, keys)
    put(blobs, "media/a", pattern(2 * CHUNK + 5))
    store.put("media/a", bytes(store.get("media/a").bytes())[:kept])
    with pytest.raises(Misconfigured):
        list(blobs.read("media/a"))


def test_swapped_chunks_are_caught(keys: Keys) -> None:
    store = MemoryStore()
    blobs = StoredBlobs(store, keys)
    put(blobs, "media/a", pattern(3 * CHUNK))
    framed = bytes(store.get("media/a").bytes())
    first, second = framed[64 : 64 + CHUNK + 16], framed[64 + CHUNK + 16 : 64 + 2 * (CHUNK + 16)]
    store.put("media/a", framed[:64] + second + first + framed[64 + 2 * (CHUNK + 16) :])
    with pytest.raises(Misconfigured):
        list(blobs.read("media/a"))


def test_a_blob_under_another_name_does_not_open(keys: Keys) -> None:
    store = MemoryStore()
    blobs = StoredBlobs(store, keys)
    put(blobs, "media/a", b"one")
    store.put("media/b", bytes(store.get("media/a").bytes()))
    with pytest.raises(Misconfigured):
        list(blobs.read("media/b"))


def test_another_key_opens_nothing(keys: Keys) -> None:
    store = MemoryStore()
    put(StoredBlobs(store, keys), "media/a", b"one")
    with pytest.raises(Misconfigured):
        list(StoredBlobs(store, Keys(bytes(32))).read("media/a"))


def test_a_deleted_blob_is_gone_and_may_be_deleted_again(any_blobs: Blobs) -> None:
    put(any_blobs, "media/a", b"one")
    any_blobs.delete("media/a")
    any_blobs.delete("media/a")
    with pytest.raises(NotFound):
        list(any_blobs.read("media/a"))


def test_old_blobs_are_listed_by_prefix(any_blobs: Blobs) -> None:
    put(any_blobs, "media/a", b"one")
    put(any_blobs, "work/b", b"two")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert list(any_blobs.older("media", later)) == ["media/a"]
    assert list(any_blobs.older("media", later - timedelta(hours=1))) == []


def test_a_store_that_cannot_be_written_is_not_alive(tmp_path: Path, keys: Keys) -> None:
    folder = tmp_path / "blobs"
    blobs = open_blobs(folder.as_uri(), keys)
    assert blobs.alive()
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir()
    folder.rmdir()
    folder.write_bytes(b"in the way")
    assert not blobs.alive()
    with pytest.raises(Unavailable):
        put(blobs, "media/a", b"one")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 API on the loopback address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_blobs_are_kept_in_s3(
    s3_endpoint: str, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    access = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1", **access).create_bucket(
        Bucket="xiangyin"
    )
    for name, value in {
        "AWS_ENDPOINT": s3_endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
    }.items():
        monkeypatch.setenv(name, value)
    blobs = open_blobs("s3://xiangyin/kept", keys)
    plain = pattern(12_000_000)
    put(blobs, "media/a", plain)
    assert blobs.size("media/a") == len(plain)
    assert b"".join(blobs.read("media/a", 6_000_000, 1000)) == plain[6_000_000:6_001_000]
    assert hashlib.sha256(b"".join(blobs.read("media/a"))).digest() == (
        hashlib.sha256(plain).digest()
    )
    assert blobs.alive()
    stored = obstore.head(S3Store.from_url("s3://xiangyin"), "kept/media/a")
    assert stored["size"] > len(plain)
    blobs.delete("media/a")
    with pytest.raises(NotFound):
        blobs.size("media/a")

"""A device's key: made once, kept for this user alone, and never mistaken for another's."""

import base64
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nkeys
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadData, DataDirectoryUnusable
from easynet.fabric.access.identity import Identity, verify

# Always the same, since they are in the names of tests.
ANA, BOB = (
    Identity.from_seed(nkeys.encode_seed(bytes([number] * 32), nkeys.PREFIX_BYTE_USER).decode())
    for number in (1, 2)
)


def test_signature_holds_for_its_key_and_data_alone() -> None:
    signature = ANA.sign(b"data")
    assert verify(ANA.public, b"data", signature)
    assert not verify(BOB.public, b"data", signature)
    assert not verify(ANA.public, b"other", signature)


@given(st.integers(0, 63), st.integers(1, 255))
def test_changed_signature_does_not_hold(at: int, difference: int) -> None:
    signature = bytearray(ANA.sign(b"data"))
    signature[at] ^= difference
    assert not verify(ANA.public, b"data", bytes(signature))


@given(st.text(), st.binary(max_size=70))
def test_malformed_key_or_signature_does_not_hold(key: str, signature: bytes) -> None:
    assert not verify(key, b"data", ANA.sign(b"data"))
    assert not verify(ANA.public, b"data", signature)


@pytest.mark.parametrize(
    "change", [str.lower, lambda key: key[:-1], lambda key: f"{key}A", lambda key: key[1:]]
)
def test_key_has_one_text(change: Callable[[str], str]) -> None:
    assert not verify(change(ANA.public), b"data", ANA.sign(b"data"))


@pytest.mark.parametrize("raw", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
def test_weak_key_signs_nothing(raw: bytes) -> None:
    body = bytes([nkeys.PREFIX_BYTE_USER]) + raw
    key = base64.b32encode(body + nkeys.crc16_checksum(body)).decode()
    assert not verify(key, b"data", bytes(64))
    assert not verify(key, b"data", raw + bytes(32))


def test_key_is_one_that_nats_knows() -> None:
    pair = nkeys.from_seed(bytearray(ANA.seed.encode()))
    assert pair.public_key.decode() == ANA.public
    assert pair.sign(b"nonce") == ANA.sign(b"nonce")
    assert ANA.public.startswith("U")


def test_seed_makes_the_same_identity() -> None:
    again = Identity.from_seed(ANA.seed)
    assert again == ANA
    assert again.sign(b"data") == ANA.sign(b"data")


def test_seed_is_not_shown() -> None:
    assert ANA.seed not in repr(ANA)
    assert ANA.public in repr(ANA)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SU",
        "训练",
        "\ud800",
        ANA.public,
        ANA.seed[:-1],
        ANA.seed.lower(),
        ANA.seed + "A",
        ANA.seed[:10] + ("A" if ANA.seed[10] != "A" else "B") + ANA.seed[11:],
        nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_ACCOUNT).decode(),
    ],
)
def test_text_that_is_no_seed_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadData) as caught:
        Identity.from_seed(text)
    assert not text or text not in caught.value.message


def test_identity_is_kept_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "identity"
    made = Identity.kept_at(path)
    assert Identity.kept_at(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["identity"]


def test_processes_that_start_together_get_one_identity(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    program = (
        "import sys; from pathlib import Path; from easynet.fabric.access.identity import Identity\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(Identity.kept_at(Path(sys.argv[1])).public)"
    )
    processes = [
        subprocess.Popen(
            (sys.executable, "-c", program, str(path)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    publics = set()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        publics.add(process.communicate(timeout=60)[0].strip())
    assert publics == {Identity.kept_at(path).public}


def test_identity_that_came_first_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "identity"
    first = Identity.kept_at(path)
    seen = iter([False])  # as another process saw it a moment ago
    monkeypatch.setattr(Path, "exists", lambda self: next(seen))
    assert Identity.kept_at(path) == first


def test_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    Identity.kept_at(path)
    path.chmod(0o644)
    with pytest.raises(DataDirectoryUnusable, match="read by other users") as caught:
        Identity.kept_at(path)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xff", ANA.public.encode()])
def test_file_without_a_key_is_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(DataDirectoryUnusable, match="does not hold a key"):
        Identity.kept_at(path)
    assert path.read_bytes() == content


def test_unusable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryUnusable, match="cannot use"):
        Identity.kept_at(tmp_path / "file" / "identity")

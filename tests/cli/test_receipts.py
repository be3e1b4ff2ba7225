"""`easynet receipts`: who signed what and when, and nothing that was changed."""

import asyncio
import sys
from pathlib import Path

import pytest

from easynet.cli import main
from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.access.identity import Identity
from easynet.fabric.receipts.receipt_batch import ReceiptBatch
from easynet.fabric.receipts.receipt_signer import ReceiptSigner

GPU = Identity.generate()
DETECT = Capability(name=CapabilityName("detect"), description={"en": "Detects."})


async def _lines(count: int, client: str) -> list[str]:
    sent: list[bytes] = []

    async def send(subject: str, data: bytes) -> None:
        sent.append(data)

    signer = ReceiptSigner(GPU, NodeId("gpu"), send)
    times = 1_800_000_000.25, 1_800_000_001.5
    for n in range(count):
        signer.add(client, "inbox", DETECT, f"call-{n}", "", b"arguments", b"result", *times, 3)
    await signer.close()
    batches = [ReceiptBatch.decode(data).receipts({"gpu": GPU.public}.get) for data in sent]
    return [receipt.to_json() for batch in batches for receipt in batch]


def receipts_file(folder: Path, count: int = 1, client: str = "ana") -> Path:
    file = folder / "receipts.jsonl"
    file.write_text("".join(f"{line}\n" for line in asyncio.run(_lines(count, client))), "utf-8")
    return file


def easynet(*words: object) -> int:
    """The exit code of a command."""
    sys.argv = ["easynet", *map(str, words)]
    with pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture(autouse=True)
def _argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


def test_good_receipt_says_who_signed_what_and_when(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert easynet("receipts", "verify", receipts_file(tmp_path)) == 0
    assert capsys.readouterr().out == (
        "gpu ran detect for ana at 2027-01-15 08:00:00.250000 UTC, in 1.2 s, "
        "for 3 credits ($0.03): ok (call call-0)\n\n"
        f"1 valid receipt, signed by gpu with the key {GPU.public}\n"
    )


def test_file_of_several_receipts_is_verified_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = receipts_file(tmp_path, count=3)
    assert easynet("receipts", "verify", file, "--key", GPU.public) == 0
    assert "3 valid receipts" in capsys.readouterr().out
    file.write_bytes(file.read_bytes().replace(b"call-1", b"call-9"))
    assert easynet("receipts", "verify", file) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "line 2: the receipt of call 'call-9' was changed" in shown.err


def test_flipped_byte_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = receipts_file(tmp_path)
    data = file.read_bytes()
    for at in range(0, len(data), 97):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert easynet("receipts", "verify", file) == 2
        assert capsys.readouterr().err.startswith("easynet: ")


def test_receipt_of_another_key_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = receipts_file(tmp_path)
    assert easynet("receipts", "verify", file, "--key", Identity.generate().public) == 2
    assert "another key" in capsys.readouterr().err


def test_input_and_output_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, given, got = receipts_file(tmp_path), tmp_path / "in", tmp_path / "out"
    given.write_bytes(b"arguments")
    got.write_bytes(b"result")
    assert easynet("receipts", "verify", file, "--input", given, "--output", got) == 0
    assert easynet("receipts", "verify", file, "--input", got) == 2
    assert "the input given is not the one in the receipt" in capsys.readouterr().err
    assert easynet("receipts", "verify", file, "--output", given) == 2
    assert "the output given is not the one in the receipt" in capsys.readouterr().err
    assert easynet("receipts", "verify", receipts_file(tmp_path, count=2), "--input", given) == 2
    assert "holds 2 receipts" in capsys.readouterr().err


def test_receipt_is_shown_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = receipts_file(tmp_path, count=2)
    assert easynet("receipts", "show", file) == 0
    shown = capsys.readouterr().out
    assert shown.count("\nsignature        holds\n") == 2
    assert f"key              {GPU.public}\n" in shown
    file.write_bytes(file.read_bytes().replace(b'"price":3', b'"price":9'))
    assert easynet("receipts", "show", file) == 0
    assert "signature        the receipt of call 'call-1' was changed" in capsys.readouterr().out


def test_name_in_a_receipt_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = receipts_file(tmp_path, client="a\x1b[2Jna\n1 valid receipt")
    for command in ("verify", "show"):
        assert easynet("receipts", command, file) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\n1 valid receipt\n" not in shown


@pytest.mark.parametrize("content", [None, b"", b"hello", b"\xff"])
def test_file_that_holds_no_receipts_is_said(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    assert easynet("receipts", "verify", file) == 2
    assert capsys.readouterr().err.startswith("easynet: ")

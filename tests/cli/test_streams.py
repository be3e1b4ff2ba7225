"""Standard streams that are closed, full, narrow-minded or read by nobody."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import easynet.cli
from easynet.cli import streams

COMMAND = (sys.executable, "-m", "easynet")


def test_json_is_utf_8_whatever_the_terminal_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    streams.write_json(json.dumps({"text": "训练 🎉"}, ensure_ascii=False).encode())
    assert json.loads(raw.getvalue()) == {"text": "训练 🎉"}


def test_character_that_the_terminal_lacks_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    streams.prepare()
    streams.write("训练 done")
    assert raw.getvalue() == b"?? done\n"


def test_full_output_is_named() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            (*COMMAND, "runs"), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 2
    assert "standard output" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_reader_that_has_gone_is_no_mistake() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run((*COMMAND, "runs"), stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert ended.returncode == 130
    assert ended.stderr == ""


def test_closed_streams_lend_their_numbers_to_nothing(own_data_dir: Path, tmp_path: Path) -> None:
    probe = (
        "import os; from easynet.cli.streams import prepare; prepare();"
        f"open({str(tmp_path / 'new')!r}, 'w').write(str([os.get_inheritable(n) for n in range(3)]))"
    )
    closed = f'exec {sys.executable} -c "$0" <&- >&- 2>&-'
    subprocess.run(("sh", "-c", closed, probe), check=True)
    assert (tmp_path / "new").read_text() == "[True, True, True]"


def test_interrupt_while_loading_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("easynet.cli.app.main", interrupted)
    with pytest.raises(SystemExit) as ended:
        easynet.cli.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == ""

"""The fitted model on disk, and what it takes for a model."""

import json
import pickle
import random
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from easynet.planners.experience_file import load, save
from easynet.planners.experience_fitting import fitted
from easynet.planners.experience_upkeep import HEADER, Fitted, ModelFile, Offered, header_of
from easynet.planners.matching import Matcher
from tests.planners.experience_world import TOOLS, history

pytestmark = pytest.mark.slow

OFFERED = Offered(catalogue=TOOLS)


@pytest.fixture(scope="module")
def made() -> Fitted:
    return fitted(history(24), 24, OFFERED)


@pytest.fixture
def path(made: Fitted, tmp_path: Path) -> Path:
    save(made, tmp_path / "model.zip")
    return tmp_path / "model.zip"


def test_a_model_from_disk_chooses_as_the_one_that_was_saved(made: Fitted, path: Path) -> None:
    again = load(path)
    assert again is not None
    assert (again.runs, again.version) == (made.runs, made.version)
    for text in ("look for a hotel in Ulm", "cancel my train ticket to Rome", "", "天气", "mail"):
        before, after = (
            f.model.choices(text, f.model.view(Matcher(TOOLS), frozenset()), 0.1) for f in (made, again)
        )
        assert before == after


def test_nothing_else_is_left_beside_the_file(path: Path) -> None:
    assert [f.name for f in path.parent.iterdir()] == ["model.zip"]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def flipped(path: Path) -> None:
    """One bit of an array is another: the archive's checksum says so."""
    data = bytearray(path.read_bytes())
    with ZipFile(path) as archive:
        entry = archive.getinfo("by_plan.npy")
    data[entry.header_offset + 400] ^= 1
    path.write_bytes(bytes(data))


def encrypted(path: Path) -> None:
    """One bit of the archive's table of contents says that the header is encrypted."""
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] ^= 1
    path.write_bytes(bytes(data))


def no_archive(path: Path) -> None:
    path.write_bytes(b"not an archive")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def changed(path: Path, name: str, content: bytes) -> None:
    """The archive with other content of one of its files."""
    old = path.with_suffix(".old")
    shutil.move(path, old)
    with ZipFile(old) as before, ZipFile(path, "w") as after:
        for entry in before.namelist():
            after.writestr(entry, content if entry == name else before.read(entry))


def array(found: object) -> bytes:
    out = BytesIO()
    np.save(out, np.asarray(found), allow_pickle=True)
    return out.getvalue()


def header(**fields: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        changed(path, HEADER, json.dumps({**(header_of(path) or {}), **fields}).encode())

    return change


def with_array(name: str, found: object) -> Callable[[Path], None]:
    return lambda path: changed(path, f"{name}.npy", array(found))


class Bomb:
    """What a pickle could do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path("/dev/null/never").write_text, ("x",))


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        flipped,
        no_archive,
        empty,
        a_folder,
        header(format="0"),
        header(runs=["a"]),
        header(version="x"),
        header(format=None),
        header(version=None),
        header(version=1.5),
        header(runs=None),
        header(runs=24),
        header(runs=[[]] * 24),
        encrypted,
        lambda path: changed(path, HEADER, b"[" * 100_000),
        lambda path: changed(path, "texts.json", b"[" * 100_000),
        lambda path: changed(path, HEADER, b"[]"),
        lambda path: changed(path, HEADER, b"{"),
        lambda path: changed(path, "texts.json", b"{}"),
        lambda path: changed(path, "of_run.npy", pickle.dumps(Bomb())),
        with_array("of_run", np.array([Bomb()], object)),
        with_array("of_run", [10**9] * 24),
        with_array("of_run", [-1] * 24),
        with_array("of_run", []),
        with_array("columns", [10**8] * 10),
        with_array("ends", [0] * 25),
        with_array("ends", list(range(0, 25 * 10**6, 10**6))),
        with_array("by_plan", [[1.0]]),
        with_array("mean", [1.0]),
        with_array("network_0_0", np.zeros((3, 3))),
        with_array("likelihood", np.zeros(3)),
        with_array("words", ["a", "b"]),
        with_array("word_weights", [1.0]),
    ],
)
def test_a_damaged_or_foreign_file_is_no_model(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    assert load(path) is None


def first_entry(data: bytes) -> range:
    """Where an archive's table of contents describes the first file in it."""
    start = data.index(b"PK\x01\x02")
    return range(start, data.index(b"PK\x01\x02", start + 4))


def test_a_flipped_bit_anywhere_leaves_a_model_that_works_or_none(made: Fitted, path: Path) -> None:
    data, draw = path.read_bytes(), random.Random(4)
    described = [*first_entry(data), *range(len(data) - 22, len(data))]
    bits = [8 * place + bit for place in described for bit in range(8)]
    for at in (*bits, *draw.sample(range(8 * len(data)), 300)):
        wrong = bytearray(data)
        wrong[at // 8] ^= 1 << at % 8
        path.write_bytes(bytes(wrong))
        header_of(path)
        if (again := load(path)) is not None:
            view = again.model.view(Matcher(TOOLS), frozenset())
            assert again.runs == made.runs
            assert again.model.choices("mail", view, 0.1).best


def test_a_missing_file_is_no_model(tmp_path: Path) -> None:
    assert load(tmp_path / "none.zip") is None
    assert ModelFile(tmp_path / "experience.db").load() is None


def test_a_full_disk_leaves_the_old_model(made: Fitted, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space"):
        save(made, path)
    assert path.read_bytes() == before
    assert [f.name for f in path.parent.iterdir()] == ["model.zip"]


def test_a_file_is_read_once_and_again_when_it_has_changed(made: Fitted, tmp_path: Path) -> None:
    kept = ModelFile(tmp_path / "experience.db")
    save(made, kept.path)
    first = kept.load()
    assert first is not None
    assert kept.load() is first
    save(made, kept.path)
    assert kept.load() is not first


def test_no_module_of_the_planners_reads_pickles() -> None:
    folder = Path(__file__).parents[2] / "easynet" / "planners"
    assert not [f.name for f in folder.glob("*.py") if "allow_pickle=True" in f.read_text()]

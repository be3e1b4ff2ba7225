"""Vectors that are computed once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from easynet.llm.kept_vectors import KeptVectors
from easynet.testing.embedder import ConceptEmbedder


@pytest.fixture
def embedder() -> ConceptEmbedder:
    return ConceptEmbedder({"sale"})


def test_a_text_is_embedded_once(embedder: ConceptEmbedder) -> None:
    kept = KeptVectors(embedder)
    first = kept.of(["a sale", "a tale", "a sale"])
    assert kept.of(["a tale", "a sale"]) == pytest.approx(first[[1, 0]])
    assert embedder.embedded == ["a sale", "a tale"]


def test_another_process_finds_them_in_the_file(embedder: ConceptEmbedder, tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    first = KeptVectors(embedder, path).of(["a sale", "a tale"])
    embedder.embedded.clear()
    assert KeptVectors(embedder, path).of(["a sale", "a tale"]) == pytest.approx(first)
    assert embedder.embedded == []


def test_vectors_of_another_model_are_none(embedder: ConceptEmbedder, tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    KeptVectors(embedder, path).of(["a sale"])
    other = ConceptEmbedder({"sale"}, name="concepts 2")
    KeptVectors(other, path).of(["a sale"])
    assert other.embedded == ["a sale"]


def test_more_texts_than_a_statement_takes(embedder: ConceptEmbedder, tmp_path: Path) -> None:
    texts = [f"text {i}" for i in range(1300)]
    KeptVectors(embedder, tmp_path / "vectors.db").of(texts)
    embedder.embedded.clear()
    assert KeptVectors(embedder, tmp_path / "vectors.db").of(texts).shape[0] == 1300
    assert embedder.embedded == []


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_damaged_file_is_done_without(embedder: ConceptEmbedder, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vectors.db"
    path.write_bytes(content)
    assert KeptVectors(embedder, path).of(["a sale"]).shape[0] == 1


def test_a_damaged_vector_is_computed_again(embedder: ConceptEmbedder, tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    first = KeptVectors(embedder, path).of(["a sale"])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE vector SET value = ?", (bytes(512),))
    assert KeptVectors(embedder, path).of(["a sale"]) == pytest.approx(first)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE vector SET value = ?", (b"\xff\x7f\x01",))
    assert KeptVectors(embedder, path).of(["a sale"]) == pytest.approx(first)


def test_a_folder_that_cannot_be_written_is_done_without(embedder: ConceptEmbedder, tmp_path: Path) -> None:
    assert KeptVectors(embedder, tmp_path / "missing" / "vectors.db").of(["a sale"]).shape[0] == 1

"""What every embedder promises."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easynet.llm.embedder import Embedder
from easynet.llm.sentence_encoder import SentenceEncoder
from easynet.testing.embedder import ConceptEmbedder

MAKERS: dict[str, Callable[[], Embedder]] = {
    "concepts": lambda: ConceptEmbedder({"sale", "销售"}, {"forecast", "predict", "预测"}),
    "sentences": SentenceEncoder,
}


@pytest.fixture(params=[*MAKERS])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return MAKERS[request.param]()


def test_each_text_is_a_row_of_length_one_in_its_place(embedder: Embedder) -> None:
    rows = embedder.embed(["predict sales", "预测销售", "predict sales"])
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0] * 3, abs=1e-3)
    assert rows[0] == pytest.approx(rows[2], abs=1e-5)


def test_a_text_is_the_same_alone_and_among_others(embedder: Embedder) -> None:
    alone = embedder.embed(["forecast the sales of next year"])[0]
    among = embedder.embed(["x", "forecast the sales of next year", "预测" * 50])[1]
    assert float(alone @ among) == pytest.approx(1.0, abs=1e-3)


def test_a_translation_is_nearer_than_something_else(embedder: Embedder) -> None:
    asked, same, other = embedder.embed(["forecast the sales", "预测销售", "洗车"])
    assert asked @ same > asked @ other


@pytest.mark.parametrize("name", MAKERS)
@given(text=st.text(max_size=300))
@settings(max_examples=30, deadline=None)
def test_any_text_has_a_vector(name: str, text: str) -> None:
    row = MAKERS[name]().embed([text])[0]
    assert np.isfinite(row).all()
    assert float(row @ row) == pytest.approx(1.0, abs=1e-2)


def test_a_long_text_costs_no_more_than_its_beginning(embedder: Embedder) -> None:
    row = embedder.embed(["forecast sales. " * 10_000])[0]
    assert float(row @ row) == pytest.approx(1.0, abs=1e-2)


def test_several_threads_may_ask_at_once(embedder: Embedder) -> None:
    texts = [f"forecast sales {i}" for i in range(8)]
    expected = embedder.embed(texts)
    found: dict[int, float] = {}

    def ask(i: int) -> None:
        found[i] = float(embedder.embed([texts[i]])[0] @ expected[i])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [*found.values()] == pytest.approx([1.0] * 8, abs=1e-3)


def test_the_name_tells_one_model_from_another() -> None:
    assert len({make().name for make in MAKERS.values()}) == len(MAKERS)

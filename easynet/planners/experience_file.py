"""The fitted model on disk: a ZIP archive of plain arrays and JSON, from which nothing is executed."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import scipy.sparse as sp

from easynet._version import __version__
from easynet.core.ids import CapabilityName, RunId
from easynet.planners.experience_features import WIDTH
from easynet.planners.experience_likelihood import WEIGHTS, Likelihood
from easynet.planners.experience_model import Model
from easynet.planners.experience_plans import PastPlans, Shape
from easynet.planners.experience_ranker import Ranker
from easynet.planners.experience_ridge import Ridge
from easynet.planners.experience_text import Floats, Rows, Terms, Vectors
from easynet.planners.experience_upkeep import HEADER, Fitted, header_of

FORMAT = f"1 of EasyNet {__version__}"


def save(fitted: Fitted, path: Path) -> None:
    """Write a model in place of the one there; whoever reads meanwhile gets the one or the other.

    Only one process writes at a time. Raises OSError, and leaves the old file then.
    """
    model, unfinished = fitted.model, path.with_suffix(".new")
    texts = {
        "words": [*model.vectors.words.column],
        "letters": [*model.vectors.letters.column],
        "names": model.past.names,
        "shapes": [(shape.steps, shape.links) for shape in model.past.shapes],
        "networks": len(model.ranker.networks),
    }
    header = {"format": FORMAT, "version": fitted.version, "runs": fitted.runs}
    try:
        with ZipFile(unfinished, "w") as archive:
            archive.writestr(HEADER, json.dumps(header))
            archive.writestr("texts.json", json.dumps(texts))
            for name, array in _arrays(model).items():
                with archive.open(f"{name}.npy", "w") as entry:
                    np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def load(path: Path) -> Fitted | None:
    """The model in a file; nothing where there is none, or it is damaged, or another version wrote it."""
    try:
        header = header_of(path)
        if header is None or header["format"] != FORMAT:
            return None
        with ZipFile(path) as archive:
            model = _model(json.loads(archive.read("texts.json")), _Arrays(archive))
        runs = tuple(map(RunId, header["runs"]))
        return Fitted(runs, header["version"], model) if len(runs) == len(model.past.of_run) else None
    except Exception:
        # A foreign or damaged file makes `zipfile`, `json`, NumPy and SciPy raise nearly anything, even
        # MemoryError and RecursionError. A model is fitted anew; no run fails for want of one.
        return None


def _arrays(model: Model) -> Mapping[str, Rows]:
    ridge, ranker = model.ridge, model.ranker
    return {
        "of_run": model.past.of_run,
        "words": model.vectors.words.rarity,
        "letters": model.vectors.letters.rarity,
        "word_weights": ridge.word_weights,
        "rows": ridge.rows.data,
        "columns": ridge.rows.indices,
        "ends": ridge.rows.indptr,
        "by_plan": ridge.by_plan,
        "likelihood": model.likelihood.weights,
        "mean": ranker.mean,
        "spread": ranker.spread,
        **{f"network_{i}_{j}": part for i, n in enumerate(ranker.networks) for j, part in enumerate(n)},
    }


class _Arrays:
    """The arrays of an archive, whose checksums are looked at as they are read."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def __call__(self, name: str, *shape: int | None) -> Any:
        found = np.lib.format.read_array(BytesIO(self._archive.read(f"{name}.npy")), allow_pickle=False)
        expected = tuple(n if n is not None else m for n, m in zip(shape, found.shape, strict=True))
        if found.shape != expected or found.dtype.kind not in "if":
            raise ValueError(f"{name} is not of the shape that it should be")
        return found


def _model(texts: Mapping[str, Any], arrays: _Arrays) -> Model:
    """The model that was saved. Raises where its parts do not fit each other."""
    shapes = [
        Shape(
            tuple(map(CapabilityName, steps)), tuple((CapabilityName(a), CapabilityName(b)) for a, b in links)
        )
        for steps, links in texts["shapes"]
    ]
    of_run = arrays("of_run", None)
    if len(of_run) == 0 or of_run.min() < 0:
        raise ValueError("a model has past runs")
    past = PastPlans([shapes[i] for i in of_run], [*map(CapabilityName, texts["names"])])
    vectors = Vectors(
        _terms(texts["words"], arrays("words", None)), _terms(texts["letters"], arrays("letters", None))
    )
    width = len(texts["words"]) + len(texts["letters"])
    stored = (arrays("rows", None), arrays("columns", None), arrays("ends", len(of_run) + 1))
    if stored[2][-1] != len(stored[0]):
        raise ValueError("a row that does not end")
    rows = sp.csr_matrix(stored, shape=(len(of_run), width))
    rows.check_format(full_check=True)  # SciPy itself trusts the numbers, and reads where they point
    by_plan = arrays("by_plan", len(of_run), len(past.shapes))
    ridge = Ridge(arrays("word_weights", width), rows, by_plan, past.labels)
    networks = [_network(arrays, i) for i in range(int(texts["networks"]))]
    ranker = Ranker(arrays("mean", WIDTH), arrays("spread", WIDTH), networks)
    return Model(past, vectors, ridge, Likelihood(arrays("likelihood", WEIGHTS)), ranker)


def _network(arrays: _Arrays, number: int) -> list[Floats]:
    hidden = arrays(f"network_{number}_0", WIDTH, None)
    width = hidden.shape[1]
    shapes = {1: width, 2: width, 3: WIDTH}
    return [hidden, *(arrays(f"network_{number}_{part}", size) for part, size in shapes.items())]


def _terms(found: list[str], rarity: Floats) -> Terms:
    if len(found) != len(rarity):
        raise ValueError("a term without its rarity")
    return Terms({term: i for i, term in enumerate(found)}, rarity)

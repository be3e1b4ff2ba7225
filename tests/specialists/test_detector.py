import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pandas as pd
import pytest

from easynet.core.call import CallContext, Cancelled, call_context
from easynet.core.errors import BadData
from easynet.specialists.candidate import DetectorCandidate, Recipe, best_of
from easynet.specialists.choosing import choose_detector
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.detector import load_model
from easynet.specialists.evaluation import evaluate_detector
from easynet.specialists.one_class import train_one_class
from easynet.specialists.splitting import split_table
from easynet.specialists.supervised import train_supervised

Clean = Callable[[pd.DataFrame], CleanTable]
Patients = Callable[..., pd.DataFrame]
Write = Callable[..., Path]

pytestmark = pytest.mark.slow


def test_demo_detector_is_as_good_as_measured_elsewhere(detector_chain: Any) -> None:
    metrics, intervals = detector_chain.evaluation["metrics"], detector_chain.evaluation["intervals"]
    assert metrics["auc"] > 0.98
    assert metrics["accuracy"] > 0.93
    assert metrics["baseline_accuracy"] == pytest.approx(71 / 114)
    for name, (low, high) in intervals.items():
        assert low <= metrics[name] <= high, name
        assert high - low > 0.001, name


def test_one_class_models_do_well_without_having_seen_an_anomaly(detector_chain: Any) -> None:
    assert detector_chain.one_class["validation"]["auc"] > 0.93
    assert [m["method"] for m in detector_chain.one_class["tried"]] == [
        "isolation_forest",
        "one_class_svm",
        "local_outlier_factor",
        "pca_reconstruction",
    ]


def test_best_validation_auc_is_chosen(detector_chain: Any) -> None:
    best = max(detector_chain.chosen["compared"], key=lambda m: m["auc"])
    assert detector_chain.chosen["method"] == best["method"]
    assert detector_chain.chosen["validation"]["auc"] == best["auc"]


def test_confusion_adds_up_to_the_test_rows(detector_chain: Any) -> None:
    counts = detector_chain.evaluation["confusion"]
    assert sum(counts.values()) == 114
    assert (
        counts["true_positive"] + counts["false_negative"]
        == detector_chain.split["summary"]["anomalies"]["test"]
    )


def test_rarer_anomalies_mean_fewer_right_alarms(detector_chain: Any) -> None:
    at = detector_chain.evaluation["precision_at"]
    assert at["0.01"][0] < at["0.1"][0] < detector_chain.evaluation["metrics"]["precision"]


def test_labels_without_meaning_are_not_learnt(clean: Clean, patients: Patients) -> None:
    frame = patients(rows=500)
    frame["diagnosis"] = np.random.default_rng(5).permutation(frame["diagnosis"].to_numpy())
    split = split_table(clean(frame))
    candidate = train_supervised(split["train"], split["validation"])
    chosen = choose_detector([candidate], split["validation"])
    metrics = evaluate_detector(chosen, split["test"])["metrics"]
    assert 0.3 < metrics["auc"] < 0.7
    assert metrics["accuracy"] < 0.8


def test_test_labels_and_rows_have_no_part_in_the_choice(clean: Clean, patients: Patients) -> None:
    split = split_table(clean(patients()))
    tampered = split_table(clean(patients()))
    tampered["test"]["is_anomaly"] = ~tampered["test"]["is_anomaly"]
    tampered["test"]["features"][:] = tampered["test"]["features"].iloc[0]
    chosen = [
        choose_detector([train_supervised(s["train"], s["validation"])], s["validation"])
        for s in (split, tampered)
    ]
    assert chosen[0]["method"] == chosen[1]["method"]
    assert chosen[0]["threshold"] == chosen[1]["threshold"]
    first, second = (evaluate_detector(c, s["test"]) for c, s in zip(chosen, (split, tampered), strict=True))
    assert first["metrics"]["auc"] > 0.8
    assert second["metrics"]["auc"] < 0.6


def test_one_class_family_never_sees_an_anomaly(clean: Clean, patients: Patients) -> None:
    split = split_table(clean(patients()))
    seen: list[int] = []

    class Counting:
        def fit(self, matrix: Any, labels: Any) -> Any:
            seen.append(int(labels.sum()))
            from sklearn.ensemble import IsolationForest

            return IsolationForest(n_estimators=5, random_state=0).fit(matrix)

    recipe = Recipe("isolation_forest", "score_samples", Counting)
    best_of("one_class", [recipe], split["train"], split["validation"], "en")
    best_of("supervised", [recipe], split["train"], split["validation"], "en")
    assert seen[0] == 0 < seen[1]


@pytest.fixture(scope="module")
def other_candidates(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Clean, Patients], list[DetectorCandidate]]:
    def made(clean: Clean, patients: Patients) -> list[DetectorCandidate]:
        from easynet.specialists import one_class, supervised

        split = split_table(clean(patients()))
        recipes = {
            "one_class": [
                Recipe("isolation_forest", "score_samples", one_class._isolation_forest),
                Recipe("one_class_svm", "score_samples", one_class._one_class_svm),
                Recipe("local_outlier_factor", "score_samples", one_class._local_outlier_factor),
                Recipe("pca_reconstruction", "reconstruction", one_class._pca),
            ],
            "supervised": [
                Recipe("logistic_regression", "decision_function", supervised._logistic_regression),
                Recipe("gradient_boosting", "decision_function", supervised._gradient_boosting),
            ],
        }
        return [
            best_of(family, [recipe], split["train"], split["validation"], "en")
            for family, tried in recipes.items()
            for recipe in tried
        ]

    return made


def test_every_kind_of_model_survives_its_file(
    clean: Clean, patients: Patients, other_candidates: Callable[[Clean, Patients], list[DetectorCandidate]]
) -> None:
    split = split_table(clean(patients()))
    for candidate in other_candidates(clean, patients):
        detector = load_model(candidate["model"])
        assert detector.threshold == candidate["threshold"]
        scores = detector.score(split["validation"]["features"])
        is_anomaly = split["validation"]["is_anomaly"]
        found = float((scores[is_anomaly] > detector.threshold).mean())
        assert found == candidate["validation"]["sensitivity"], candidate["method"]


def test_saved_model_scores_rows_in_another_process(detector_chain: Any, tmp_path: Path) -> None:
    rows = detector_chain.loaded["table"]["frame"].head(5)
    rows.to_json(tmp_path / "rows.json", orient="records")
    program = (
        "import json, sys\n"
        "from easynet import load_model\n"
        "model = load_model(sys.argv[1])\n"
        "rows = json.load(open(sys.argv[2]))\n"
        "print(json.dumps([model.predict(rows), model.score(rows).tolist(), model.columns]))\n"
    )
    script = tmp_path / "use.py"
    script.write_text(program)
    done = subprocess.run(
        [sys.executable, str(script), str(detector_chain.chosen["model"]), str(tmp_path / "rows.json")],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    labels, scores, columns = json.loads(done.stdout)
    here = load_model(detector_chain.chosen["model"])
    assert labels == here.predict(rows)
    assert scores == pytest.approx(here.score(rows).tolist())
    assert len(columns) == 30
    assert "diagnosis" not in columns


def test_detector_shows_itself_in_one_line(detector_chain: Any) -> None:
    auc = detector_chain.chosen["validation"]["auc"]
    method = detector_chain.chosen["method"].replace("_", " ")
    assert repr(load_model(detector_chain.chosen["model"])) == (
        f"<Detector {method}, target 'diagnosis', 30 columns, validation AUC {auc:.3f}>"
    )


def test_model_file_says_what_it_is(detector_chain: Any) -> None:
    about = load_model(detector_chain.chosen["model"]).metadata
    assert detector_chain.chosen["model"].name == "anomaly_detector.easynet"
    assert about["target"] == {"column": "diagnosis", "anomaly": "malignant", "normal": "benign"}
    assert about["metrics"]["validation_auc"] == detector_chain.chosen["validation"]["auc"]
    assert set(about["versions"]) == {"easynet", "python", "scikit-learn", "skops"}
    assert "Not a medical device" in about["note"]


def test_missing_columns_are_named(detector_chain: Any) -> None:
    detector = load_model(detector_chain.chosen["model"])
    with pytest.raises(BadData, match="lack 29 of the 30 columns") as refused:
        detector.score([{"mean radius": 12.0}])
    assert "detector.columns" in refused.value.hint


def test_missing_values_and_unknown_levels_are_scored(clean: Clean, patients: Patients) -> None:
    split = split_table(clean(patients()))
    detector = load_model(train_supervised(split["train"], split["validation"])["model"])
    rows: list[dict[str, object]] = [
        {"glucose": None, "pressure": "118", "noise": float("nan"), "smoker": "sometimes"},
        {"glucose": float("inf"), "pressure": 118, "noise": 0, "smoker": None},
    ]
    assert np.isfinite(detector.score(rows)).all()
    assert len(detector.predict([])) == 0


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_file_that_is_no_detector_is_refused(write: Write, content: bytes) -> None:
    with pytest.raises(BadData, match="not a detector"):
        load_model(write(content, "x.easynet"))


def test_missing_model_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot be read"):
        load_model(tmp_path / "none.easynet")


def test_foreign_types_in_a_model_file_are_not_loaded(detector_chain: Any, tmp_path: Path) -> None:
    import skops.io as sio

    with ZipFile(detector_chain.chosen["model"]) as archive:
        about = archive.read("metadata.json")
    path = tmp_path / "evil.easynet"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", about)
        archive.writestr("model.skops", sio.dumps(Path))
    with pytest.raises(BadData, match="types that EasyNet does not trust"):
        load_model(path)


def test_unknown_way_of_scoring_is_refused(detector_chain: Any, tmp_path: Path) -> None:
    with ZipFile(detector_chain.chosen["model"]) as archive:
        about = json.loads(archive.read("metadata.json"))
        model = archive.read("model.skops")
    path = tmp_path / "odd.easynet"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({**about, "scoring": "__class__"}))
        archive.writestr("model.skops", model)
    with pytest.raises(BadData, match="unknown way of scoring"):
        load_model(path).score(detector_chain.loaded["table"]["frame"])


def test_training_stops_when_cancelled(clean: Clean, patients: Patients, tmp_path: Path) -> None:
    split = split_table(clean(patients()))
    told: list[str] = []
    context = CallContext(
        report=lambda fraction, message: told.append(message),
        scratch=lambda: tmp_path,
        is_cancelled=lambda: len(told) >= 2,
    )
    with call_context(context), pytest.raises(Cancelled):
        train_one_class(split["train"], split["validation"])
    assert len(told) == 2

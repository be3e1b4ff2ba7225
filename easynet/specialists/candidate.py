"""Models of one family, compared on the validation rows; the best of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from easynet.core.call import progress, scratch_dir
from easynet.core.language import Language, say
from easynet.specialists.detector import Detector, Scoring, new_detector
from easynet.specialists.features import FeatureEncoder
from easynet.specialists.ranking_quality import (
    auc,
    average_precision,
    best_threshold,
    bootstrap_intervals,
)
from easynet.specialists.splitting import Part, TrainTable, ValidationTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TriedModel(TypedDict):
    """One model, measured on the validation rows."""

    method: str
    auc: float
    auc_low: float
    auc_high: float
    average_precision: float
    sensitivity: float
    specificity: float
    balanced_accuracy: float


class DetectorCandidate(TypedDict):
    """The best model of a family, by validation, with a threshold."""

    family: str
    method: str
    model: Path
    validation: TriedModel
    threshold: float
    tried: list[TriedModel]
    notes: list[str]


@dataclass(frozen=True)
class Recipe:
    """A model that may be tried."""

    method: str
    scoring: Scoring
    build: Callable[[], Any]
    """An unfitted scikit-learn pipeline."""
    most_rows: int = 200_000
    """Training rows beyond these are left out, evenly, where the method would take too long."""


METHOD_NAMES: dict[str, tuple[str, str]] = {
    "isolation_forest": ("isolation forest", "孤立森林"),
    "one_class_svm": ("one-class SVM", "单类支持向量机"),
    "local_outlier_factor": ("local outlier factor", "局部离群因子"),
    "pca_reconstruction": ("PCA reconstruction error", "主成分重构误差"),
    "logistic_regression": ("logistic regression", "逻辑回归"),
    "gradient_boosting": ("gradient boosting", "梯度提升树"),
}
FAMILY_NAMES: dict[str, tuple[str, str]] = {
    "one_class": ("learnt from normal rows only", "仅从正常样本学习"),
    "supervised": ("learnt from both classes", "从两类样本学习"),
}


def method_name(method: str, language: Language) -> str:
    return say(language, *METHOD_NAMES.get(method, (method, method)))


def family_name(family: str, language: Language) -> str:
    return say(language, *FAMILY_NAMES.get(family, (family, family)))


def best_of(
    family: str,
    recipes: Sequence[Recipe],
    train: TrainTable,
    validation: ValidationTable,
    language: Language,
) -> DetectorCandidate:
    """Fit each recipe and keep the one with the highest validation AUC; the earlier one of equals.

    A one-class family is shown normal rows only.
    """
    encoder = FeatureEncoder.learnt(train["features"], train["kinds"])
    matrix, labels = encoder.matrix(train["features"]), train["is_anomaly"]
    if family == "one_class":
        matrix, labels = matrix[~labels], labels[~labels]
    held_out = encoder.matrix(validation["features"])
    best: tuple[TriedModel, Detector] | None = None
    tried: list[TriedModel] = []
    notes: list[str] = []
    for number, recipe in enumerate(recipes):
        name = method_name(recipe.method, language)
        progress(number / len(recipes), say(language, f"Training {name}", f"正在训练{name}"))
        step = -(-len(matrix) // recipe.most_rows)
        if step > 1:
            notes.append(
                say(
                    language,
                    f"For speed, {name} saw one training row in {step} only.",
                    f"为了速度，{name}只使用了每 {step} 行中的一行训练数据。",
                )
            )
        model = recipe.build().fit(matrix[::step], labels[::step])
        detector = new_detector(
            encoder,
            model,
            method=recipe.method,
            family=family,
            scoring=recipe.scoring,
            target={k: train["target"][k] for k in ("column", "anomaly", "normal")},
        )
        measured, detector = _measured(detector, held_out, validation)
        tried.append(measured)
        if best is None or measured["auc"] > best[0]["auc"] + 1e-9:
            best = (measured, detector)
    assert best is not None, "a family has at least one recipe"
    path = best[1].save(scratch_dir() / f"{family}_{best[0]['method']}.easynet")
    progress(1.0)
    return DetectorCandidate(
        family=family,
        method=best[0]["method"],
        model=path,
        validation=best[0],
        threshold=best[1].threshold,
        tried=tried,
        notes=notes,
    )


def _measured(detector: Detector, matrix: "NDArray[np.float64]", part: Part) -> tuple[TriedModel, Detector]:
    """How a detector does on some rows, and the detector with the threshold that suits them best."""
    is_anomaly = part["is_anomaly"]
    scores = detector.score_matrix(matrix)
    threshold = best_threshold(is_anomaly, scores)
    (low, high), _ = bootstrap_intervals(is_anomaly, scores, repeats=300)
    sensitivity = float((scores[is_anomaly] > threshold).mean())
    specificity = float((scores[~is_anomaly] <= threshold).mean())
    measured = TriedModel(
        method=str(detector.metadata["method"]),
        auc=auc(is_anomaly, scores),
        auc_low=low,
        auc_high=high,
        average_precision=average_precision(is_anomaly, scores),
        sensitivity=sensitivity,
        specificity=specificity,
        balanced_accuracy=(sensitivity + specificity) / 2,
    )
    metrics = {f"validation_{k}": v for k, v in measured.items() if k != "method"}
    return measured, replace(
        detector, metadata={**detector.metadata, "threshold": threshold, "metrics": metrics}
    )

"""The detector that is kept, out of all that were trained."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.call import progress, scratch_dir
from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.specialists.candidate import DetectorCandidate, TriedModel
from easynet.specialists.detector import Detector, load_model
from easynet.specialists.libraries import require
from easynet.specialists.ranking_quality import auc
from easynet.specialists.splitting import SEED, ValidationTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL_FILE = "anomaly_detector.easynet"
_REPEATS = 8
_MOST_ROWS = 500


class ComparedModel(TriedModel):
    """A tried model and the family it belongs to."""

    family: str


class ColumnImportance(TypedDict):
    """How much the validation AUC falls when a column's values are shuffled."""

    column: str
    auc_loss: float


class ChosenDetector(TypedDict):
    """The detector that is kept, as a file, and why it was chosen."""

    model: Path
    family: str
    method: str
    threshold: float
    validation: TriedModel
    compared: list[ComparedModel]
    """All models of all families, best first."""
    importance: list[ColumnImportance]
    """Most important first; empty where there is one column only."""
    notes: list[str]


@contribute(
    en="Choose the best anomaly detector: among the trained candidates, on validation data only, and save it"
    " as a model file.",
    zh="选出最好的异常检测器：只凭验证集，从训练好的候选模型中选择，并保存为模型文件。",
    specialization="medical",
    role="choose",
    tags=(
        "choose",
        "select",
        "best model",
        "compare",
        "detector",
        "model",
        "选择",
        "最佳模型",
        "比较",
        "检测器",
    ),
    price=2,
    expected_s=1.5,
)
def choose_detector(
    candidates: list[DetectorCandidate], validation: ValidationTable, language: Language = "en"
) -> ChosenDetector:
    """The candidate with the highest validation AUC, and how much each column matters to it."""
    require("pandas", "sklearn", "skops")
    ranked = sorted(candidates, key=lambda c: -c["validation"]["auc"])
    best = ranked[0]
    compared = [ComparedModel(**tried, family=c["family"]) for c in ranked for tried in c["tried"]]
    compared.sort(key=lambda m: -m["auc"])
    detector = load_model(best["model"])
    progress(0.2, say(language, "Measuring which columns matter", "正在衡量各列的重要性"))
    importance = _importance(detector, validation)
    kept = replace(
        detector,
        metadata={
            **detector.metadata,
            "importance": [dict(i) for i in importance[:30]],
            "compared": [dict(m) for m in compared],
        },
    )
    return ChosenDetector(
        model=kept.save(scratch_dir() / MODEL_FILE),
        family=best["family"],
        method=best["method"],
        threshold=best["threshold"],
        validation=best["validation"],
        compared=compared,
        importance=importance,
        notes=[note for c in ranked for note in c["notes"]],
    )


def _importance(detector: Detector, validation: ValidationTable) -> list[ColumnImportance]:
    import numpy as np  # heavy

    groups = detector.encoder.groups
    if len(groups) < 2:
        return []
    step = -(-len(validation["features"]) // _MOST_ROWS)
    matrix = detector.encoder.matrix(validation["features"])[::step]
    is_anomaly = validation["is_anomaly"][::step]
    if is_anomaly.all() or not is_anomaly.any():
        return []
    full = auc(is_anomaly, detector.score_matrix(matrix))
    random = np.random.default_rng(SEED)
    importance: list[ColumnImportance] = []
    for number, (column, places) in enumerate(zip(detector.columns, groups, strict=True)):
        progress(0.2 + 0.7 * number / len(groups))
        copies = [_shuffled(matrix, places, random) for _ in range(_REPEATS)]
        scores = detector.score_matrix(np.vstack(copies)).reshape(_REPEATS, -1)
        loss = full - float(np.mean([auc(is_anomaly, s) for s in scores]))
        importance.append(ColumnImportance(column=column, auc_loss=loss))
    return sorted(importance, key=lambda i: -i["auc_loss"])


def _shuffled(
    matrix: "NDArray[np.float64]", places: list[int], random: "np.random.Generator"
) -> "NDArray[np.float64]":
    copy = matrix.copy()
    copy[:, places] = copy[random.permutation(len(copy))][:, places]
    return copy

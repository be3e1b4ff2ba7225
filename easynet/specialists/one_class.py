"""Detectors that learn from normal rows what normal is."""

from typing import Any

from easynet.core.contribution import contribute
from easynet.core.language import Language
from easynet.specialists.candidate import DetectorCandidate, Recipe, best_of
from easynet.specialists.libraries import require
from easynet.specialists.splitting import SEED, TrainTable, ValidationTable


@contribute(
    en="Train a one-class anomaly detector: it learns from normal cases only, so that anomalies never seen"
    " before can be found; isolation forest, one-class SVM, local outlier factor and PCA are compared.",
    zh="训练单类异常检测模型：只从正常样本学习（孤立森林、单类支持向量机、局部离群因子、主成分），"
    "能发现从未见过的异常。",
    specialization="medical",
    tags=(
        "train", "anomaly", "detector", "detection", "abnormal", "novelty", "model", "machine learning", "AI",
        "medical", "screening", "训练", "异常", "检测", "检测器", "模型", "机器学习", "人工智能", "医学",
        "筛查",
    ),
    examples=(
        "learn from normal cases only and report what is different",
        "train an alarm for cases never seen before", "I only have healthy examples",
        "notice when a machine behaves differently than usual", "monitor readings for anything new",
        "report whatever deviates from the usual pattern", "build a watchdog for unusual sensor behaviour",
        "detect intrusions from regular traffic only", "there are no faulty samples, train on the good ones",
        "novelty detection for a production line", "sound the alarm when values leave the usual range",
        "只用正常样本学习，发现异常就提醒", "我只有健康人的数据，训练一个检测器", "识别从没见过的异常情况",
        "机器和平时表现不一样时能发现", "监测读数有没有新情况", "偏离平时的规律就报告",
        "做一个监视传感器异常的模型", "没有故障样本，只拿正常样本训练", "生产线上的新异常检测",
        "数值脱离常态就发出警报", "只凭正常流量发现入侵",
    ),
    price=5,
    expected_s=3.0,
)  # fmt: skip
def train_one_class(
    train: TrainTable, validation: ValidationTable, language: Language = "en"
) -> DetectorCandidate:
    """The best of four one-class models, by validation AUC."""
    require("pandas", "sklearn", "skops")
    recipes = (
        Recipe("isolation_forest", "score_samples", _isolation_forest),
        Recipe("one_class_svm", "score_samples", _one_class_svm, most_rows=5_000),
        Recipe("local_outlier_factor", "score_samples", _local_outlier_factor, most_rows=5_000),
        Recipe("pca_reconstruction", "reconstruction", _pca),
    )
    return best_of("one_class", recipes, train, validation, language)


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline  # heavy
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def _isolation_forest() -> Any:
    from sklearn.ensemble import IsolationForest  # heavy

    return _scaled(IsolationForest(n_estimators=200, random_state=SEED))


def _one_class_svm() -> Any:
    from sklearn.svm import OneClassSVM  # heavy

    return _scaled(OneClassSVM(nu=0.05, gamma="scale"))


def _local_outlier_factor() -> Any:
    from sklearn.neighbors import LocalOutlierFactor  # heavy

    # Brute force keeps no search tree, so the saved model needs no further trusted types.
    return _scaled(LocalOutlierFactor(n_neighbors=20, novelty=True, algorithm="brute"))


def _pca() -> Any:
    from sklearn.decomposition import PCA  # heavy

    return _scaled(PCA(n_components=0.9, svd_solver="full", random_state=SEED))

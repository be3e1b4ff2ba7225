"""Detectors that learn from labelled examples of both classes."""

from typing import Any

from easynet.core.contribution import contribute
from easynet.core.language import Language
from easynet.specialists.candidate import DetectorCandidate, Recipe, best_of
from easynet.specialists.libraries import require
from easynet.specialists.splitting import SEED, TrainTable, ValidationTable


@contribute(
    en="Train a supervised anomaly detector: from labelled normal and abnormal cases; logistic regression and"
    " gradient boosting classifiers are compared.",
    zh="训练有监督的异常检测模型：用带标签的正常与异常样本训练分类器（逻辑回归、梯度提升树），并比较优劣。",
    specialization="medical",
    tags=(
        "train", "anomaly", "detector", "detection", "classifier", "classification", "predict", "diagnosis",
        "model", "machine learning", "AI", "medical", "训练", "异常", "检测", "分类", "预测", "诊断",
        "模型", "机器学习", "人工智能", "医学",
    ),
    examples=(
        "train a classifier that tells ill people from healthy ones", "train an anomaly detection model",
        "learn to recognise abnormal cases from labelled examples",
        "diagnose a disease from laboratory values", "teach a model to find disease",
        "tell harmless from dangerous cases", "predict who is ill",
        "build a model that recognises defective parts from labelled samples",
        "use marked cases to learn which are fraudulent", "automatic diagnosis from measurements",
        "train machine learning to separate good from bad", "identify people at risk of a stroke",
        "screen blood samples for illness with a trained model", "an AI that flags faulty products",
        "训练一个区分病人和健康人的分类器", "训练异常识别模型", "从带标签的样本学习识别异常病例",
        "根据化验指标诊断疾病", "教模型发现疾病", "判断病例有没有危险", "预测谁患病",
        "用标注样本训练识别次品的模型", "从标记过的案例学习辨认欺诈", "根据测量值自动诊断",
        "训练机器学习模型把好坏分开", "识别有中风风险的人", "用训练好的模型筛查血样",
        "能自动标出故障产品的人工智能",
    ),
    price=5,
    expected_s=2.0,
)  # fmt: skip
def train_supervised(
    train: TrainTable, validation: ValidationTable, language: Language = "en"
) -> DetectorCandidate:
    """The better of two classifiers, by validation AUC."""
    require("pandas", "sklearn", "skops")
    recipes = (
        Recipe("logistic_regression", "decision_function", _logistic_regression),
        Recipe("gradient_boosting", "decision_function", _gradient_boosting),
    )
    return best_of("supervised", recipes, train, validation, language)


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression  # heavy
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000, class_weight="balanced"))


def _gradient_boosting() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier  # heavy
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Few, small trees: on some hundred rows more of them only learn the noise.
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.08, max_leaf_nodes=15, l2_regularization=1.0, class_weight="balanced",
        random_state=SEED,
    )  # fmt: skip
    return make_pipeline(StandardScaler(), model)

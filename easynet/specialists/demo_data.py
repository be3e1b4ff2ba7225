"""Real data that ships with a dependency, for those who bring none."""

from typing import Any

from easynet.core.contribution import contribute
from easynet.core.language import Language, say
from easynet.core.report import DataSource
from easynet.specialists.libraries import require
from easynet.specialists.table_io import Loaded, RawTable


@contribute(
    en="Medical demo data: the Wisconsin breast cancer set, benign and malignant, as a table of measurements;"
    " for when the user has given no medical or patient data.",
    zh="医疗演示数据：威斯康星乳腺癌数据集（良性与恶性），细胞测量值表格；用户没有提供医学或病人数据时使用。",
    specialization="medical",
    role="sample",
    tags=(
        "medical", "medicine", "health", "clinical", "patient", "diagnosis", "disease", "cancer", "tumor",
        "hospital", "imaging", "医学", "医疗", "健康", "病人", "患者", "诊断", "疾病", "癌症", "肿瘤", "影像",
        "临床",
    ),
    price=1,
    expected_s=1.0,
)  # fmt: skip
def medical_demo_data(language: Language = "en") -> Loaded:
    """The Wisconsin Diagnostic Breast Cancer set (Wolberg, Street and Mangasarian 1995), 569 rows."""
    require("pandas", "sklearn")
    import pandas as pd  # heavy
    from sklearn.datasets import load_breast_cancer

    data: Any = load_breast_cancer()
    frame = pd.DataFrame(data.data, columns=[str(n) for n in data.feature_names])
    frame["diagnosis"] = [str(data.target_names[t]) for t in data.target]
    note = say(
        language,
        "It ships with scikit-learn: measurements of cell nuclei, taken from microscope images by"
        " others in the 1990s. It is a table:"
        " no images and no X-rays were used. Nothing trained on it is a medical device.",
        "随 scikit-learn 附带：由他人在 20 世纪 90 年代从显微图像中测得的细胞核指标。这是一张表格："
        "没有使用任何影像或 X 光片。"
        "在其上训练的任何模型都不是医疗器械。",
    )
    source = DataSource(
        name=say(language, "Wisconsin breast cancer", "威斯康星乳腺癌数据集"),
        is_demo=True,
        rows=len(frame),
        columns=frame.shape[1],
        note=note,
    )
    return Loaded(table=RawTable(frame=frame, notes=[]), source=source)

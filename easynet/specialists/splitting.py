"""A labelled table in three parts: to learn from, to choose with, to test on."""

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from easynet.core.contribution import contribute
from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.columns import Kind
from easynet.specialists.feature_choice import choose_features, person_column
from easynet.specialists.libraries import require
from easynet.specialists.target import Target, as_labels, find_target

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

SEED = 7
FEWEST_ROWS = 30
FEWEST_OF_A_CLASS = 8
_PARTS = 5
"""Equal parts of the rows: one to test on, one to choose with, the rest to learn from."""


class Part(TypedDict):
    """Some rows of a labelled table."""

    features: "pd.DataFrame"
    is_anomaly: "NDArray[np.bool_]"
    kinds: dict[str, Kind]
    """Of each feature: number or category."""
    target: Target


class TrainTable(Part):
    """The rows that models learn from."""


class ValidationTable(Part):
    """The rows that model and threshold are chosen with."""


class TestTable(Part):
    """The rows that are used once, to measure what was chosen."""


class SplitSummary(TypedDict):
    """How a table was divided."""

    target: Target
    rows: dict[str, int]
    """By part: train, validation, test."""
    anomalies: dict[str, int]
    features: list[str]
    dropped: dict[str, str]
    """Columns that are no features, each with the reason."""
    notes: list[str]
    warnings: list[str]
    """What makes the measured quality doubtful."""


class Split(TypedDict):
    """A labelled table in three parts."""

    train: TrainTable
    validation: ValidationTable
    test: TestTable
    summary: SplitSummary


@contribute(
    en="Split a labelled table: into training, validation and test rows, stratified by the target column.",
    zh="划分带标签的数据表：按目标列分层，划分为训练集、验证集和测试集。",
    specialization="data-analysis",
    tags=("split", "stratified", "train test", "holdout", "划分", "拆分", "训练集", "测试集", "验证集"),
    examples=(
        "split my data into train and test", "keep some rows back for testing",
        "divide the records into learning and checking parts", "make a stratified holdout sample",
        "reserve a fifth of the records for a final check", "separate the rows at random into two sets",
        "create training, validation and test sets", "separate a test set that keeps the class proportions",
        "partition the data set 70/15/15", "sample 20 percent of the cases for evaluation",
        "one part to fit the model, another to judge it", "put a random portion aside",
        "prepare the split for machine learning", "keep the share of each class equal in both halves",
        "cut off a piece for validation", "划分训练集和测试集", "留出一部分数据用于测试",
        "把记录分成学习和验证两部分", "分层抽样留出验证集", "随机分成两份数据", "保留五分之一做最终检验",
        "生成训练、验证和测试三份数据", "按类别比例分出测试集", "按七比三拆开数据", "抽两成样本做评估",
        "一份用来建模，一份用来评判", "随机留出一小部分", "为机器学习做好数据划分",
        "两半里各类的比例保持相同", "切一块出来做验证",
    ),
    price=1,
    expected_s=1.0,
)  # fmt: skip
def split_table(
    table: CleanTable, target: str | None = None, normal: str | None = None, language: Language = "en"
) -> Split:
    """Three stratified parts, 60/20/20, always the same for the same table.

    Rows of one person stay in one part where a column names the person. Raises InputNeeded where the target
    or its normal value is unclear, BadData where there is too little to learn from.
    """
    require("pandas", "sklearn")
    found = find_target(table, target, language, normal)
    frame, notes = table["frame"], list(table["notes"])
    labels = as_labels(frame[found["column"]])
    unlabelled = len(frame) - len(labels)
    if unlabelled:
        notes.append(
            say(
                language,
                f"{unlabelled} row(s) without a value in {found['column']!r} were left out.",
                f"有 {unlabelled} 行的 {found['column']!r} 缺失，未使用。",
            )
        )
    rows = frame.loc[labels.index].reset_index(drop=True)
    is_anomaly = labels.isin(found["anomaly_values"]).to_numpy(dtype=bool)
    _check_size(is_anomaly, found, language)
    person = person_column(rows, found["column"])
    features, dropped, warnings = choose_features(table, rows, is_anomaly, found["column"], person, language)
    if person:
        notes.append(
            say(
                language,
                f"All rows of one {person!r} are in the same part.",
                f"同一 {person!r} 的所有行都在同一部分中。",
            )
        )
    groups = None if person is None else rows[person]
    parts = _parts(is_anomaly, groups)
    kinds: dict[str, Kind] = {f: table["kinds"][f] for f in features}

    def part(name: str) -> Part:
        chosen = parts[name]
        return Part(
            features=rows.loc[chosen, features].reset_index(drop=True),
            is_anomaly=is_anomaly[chosen],
            kinds=kinds,
            target=found,
        )

    summary = SplitSummary(
        target=found,
        rows={name: len(chosen) for name, chosen in parts.items()},
        anomalies={name: int(is_anomaly[chosen].sum()) for name, chosen in parts.items()},
        features=features,
        dropped={**table["dropped"], **dropped},
        notes=notes,
        warnings=warnings,
    )
    _check_parts(summary, language)
    return Split(
        train=TrainTable(**part("train")),
        validation=ValidationTable(**part("validation")),
        test=TestTable(**part("test")),
        summary=summary,
    )


def _check_size(is_anomaly: "NDArray[np.bool_]", target: Target, language: Language) -> None:
    rows, anomalies = len(is_anomaly), int(is_anomaly.sum())
    fewest = min(anomalies, rows - anomalies)
    if rows >= FEWEST_ROWS and fewest >= FEWEST_OF_A_CLASS:
        return
    raise BadData(
        say(
            language,
            f"Too little to learn from: {rows} labelled rows, {anomalies} of them anomalies"
            f" ({target['anomaly']}).",
            f"数据太少，无法学习：有标签的行共 {rows} 行，其中异常（{target['anomaly']}）{anomalies} 行。",
        ),
        hint=say(
            language,
            f"Give at least {FEWEST_ROWS} rows with at least {FEWEST_OF_A_CLASS} of each kind.",
            f"请至少提供 {FEWEST_ROWS} 行，且每一类至少 {FEWEST_OF_A_CLASS} 行。",
        ),
    )


def _check_parts(summary: SplitSummary, language: Language) -> None:
    for name, rows in summary["rows"].items():
        if not 0 < summary["anomalies"][name] < rows:
            raise BadData(
                say(
                    language,
                    f"Too few persons: the {name} part has rows of one class only.",
                    f"人数太少：{name} 部分只有一类数据。",
                )
            )
    if summary["anomalies"]["test"] < 20:
        count = summary["anomalies"]["test"]
        summary["warnings"].append(
            say(
                language,
                f"Only {count} anomalies are in the test rows, so the measured quality is uncertain.",
                f"测试集中只有 {count} 个异常样本，因此测得的质量不确定性较大。",
            )
        )


def _parts(is_anomaly: "NDArray[np.bool_]", groups: "pd.Series | None") -> "dict[str, NDArray[np.int64]]":
    import numpy as np  # heavy
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = np.zeros((len(is_anomaly), 1))
    if groups is None:
        folds = StratifiedKFold(_PARTS, shuffle=True, random_state=SEED).split(rows, is_anomaly)
    else:
        coded = groups.map(str).to_numpy(dtype=object)
        folds = StratifiedGroupKFold(_PARTS, shuffle=True, random_state=SEED).split(rows, is_anomaly, coded)
    held_out = [held for _, held in folds]
    return {
        "train": np.sort(np.concatenate(held_out[2:])),
        "validation": held_out[1],
        "test": held_out[0],
    }

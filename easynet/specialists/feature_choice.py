"""Which columns of a labelled table a model may learn from."""

import re
from typing import TYPE_CHECKING

from easynet.core.errors import BadData
from easynet.core.language import Language, say
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.columns import Kind

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_PERSON = re.compile(r"patient|subject|person|participant|患者|病人|病历号|住院号|受试者", re.IGNORECASE)
_FEWEST_PERSONS = 16


def person_column(rows: "pd.DataFrame", target: str) -> str | None:
    """The column that says whose row it is, where persons have several rows."""
    for name in rows.columns:
        count = int(rows[name].nunique())
        if name != target and _PERSON.search(str(name)) and _FEWEST_PERSONS <= count < len(rows):
            is_code = bool((rows[name].dropna().map(str).str.len() < 40).all())
            if is_code and rows[name].notna().all():
                return str(name)
    return None


def choose_features(
    table: CleanTable,
    rows: "pd.DataFrame",
    is_anomaly: "NDArray[np.bool_]",
    target: str,
    person: str | None,
    language: Language,
) -> tuple[list[str], dict[str, str], list[str]]:
    """The columns to learn from, why others are not, and which tell suspiciously much."""
    reasons: dict[Kind, str] = {
        "id": say(language, "an identifier", "标识符"),
        "text": say(language, "free text", "自由文本"),
        "date": say(language, "a date", "日期"),
        "constant": say(language, "one value only", "只有一种取值"),
    }
    features: list[str] = []
    dropped: dict[str, str] = {}
    warnings: list[str] = []
    for name, kind in table["kinds"].items():
        if name == target:
            continue
        if name == person:
            dropped[name] = reasons["id"]
        elif kind in reasons:
            dropped[name] = reasons[kind]
        elif (told := _separation(rows[name], is_anomaly)) == "copy":
            dropped[name] = say(language, "a copy of the target", "与目标列重复")
            warnings.append(
                say(
                    language,
                    f"The column {name!r} says the same as the target and was left out.",
                    f"列 {name!r} 与目标列含义相同，已排除。",
                )
            )
        else:
            features.append(name)
            if told == "perfect":
                warnings.append(
                    say(
                        language,
                        f"The column {name!r} alone separates the classes without error. If it is only known"
                        " after the diagnosis, the measured quality is an illusion: leave it out.",
                        f"仅凭列 {name!r} 就能毫无差错地区分两类。如果它在诊断之后才知道，"
                        "测得的质量就是假象，请去掉它。",
                    )
                )
    if not features:
        listed = ", ".join(f"{name} ({why})" for name, why in list(dropped.items())[:8])
        raise BadData(
            say(
                language,
                f"No column can be learnt from: {listed or 'there is none beside the target'}.",
                f"没有可供学习的列：{listed or '除目标列外没有其他列'}。",
            ),
            hint=say(
                language,
                "Give numeric columns, or text columns with few different values.",
                "请提供数值列，或取值种类较少的文本列。",
            ),
        )
    return features, dropped, warnings


def _separation(values: "pd.Series", is_anomaly: "NDArray[np.bool_]") -> str:
    """`"copy"` where a column is the target in other words, `"perfect"` where it separates alone, or ""."""
    import pandas as pd  # heavy

    table = pd.DataFrame({"value": values.to_numpy(), "is_anomaly": is_anomaly}).dropna()
    unique = int(table["value"].nunique())
    if unique < 2 or len(table) < 0.5 * len(values) or table["is_anomaly"].nunique() < 2:
        return ""
    if unique <= 10:
        pure = bool((table.groupby("value")["is_anomaly"].nunique() == 1).all())
        return ("copy" if unique == 2 else "perfect") if pure else ""
    if not pd.api.types.is_numeric_dtype(table["value"]):
        return ""
    numbers, flags = table["value"].to_numpy(dtype=float), table["is_anomaly"].to_numpy(dtype=bool)
    anomalies, normals = numbers[flags], numbers[~flags]
    apart = anomalies.min() > normals.max() or anomalies.max() < normals.min()
    return "perfect" if apart else ""

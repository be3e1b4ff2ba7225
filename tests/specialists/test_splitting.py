from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easynet.core.errors import BadData, InputNeeded
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.splitting import split_table
from easynet.specialists.target import find_target

pytestmark = pytest.mark.slow

Clean = Callable[[pd.DataFrame], CleanTable]
Patients = Callable[..., pd.DataFrame]


def test_parts_are_stratified_disjoint_and_repeatable(clean: Clean, patients: Patients) -> None:
    frame = patients(rows=300)
    split = split_table(clean(frame))
    assert split["summary"]["rows"] == {"train": 180, "validation": 60, "test": 60}
    shares = [split[name]["is_anomaly"].mean() for name in ("train", "validation", "test")]
    assert max(shares) - min(shares) < 0.02
    values = pd.concat([split[name]["features"] for name in ("train", "validation", "test")])
    assert sorted(values["noise"]) == sorted(frame["noise"])
    assert split_table(clean(frame))["test"]["features"].equals(split["test"]["features"])


def test_identifiers_texts_dates_and_constants_are_no_features(clean: Clean, patients: Patients) -> None:
    frame = patients(rows=100).assign(
        clinic="North",
        remark=[f"seen on ward {i} at noon" for i in range(100)],
        seen=pd.date_range("2024-01-01", periods=100),
    )
    split = split_table(clean(frame))
    assert split["summary"]["features"] == ["glucose", "pressure", "noise", "smoker"]
    assert set(split["summary"]["dropped"]) == {"patient_no", "clinic", "remark", "seen"}


def test_target_is_found_by_a_telling_chinese_name(clean: Clean, patients: Patients) -> None:
    frame = (
        patients().rename(columns={"diagnosis": "诊断结果"}).replace({"positive": "恶性", "negative": "良性"})
    )
    target = find_target(clean(frame), None, "zh")
    assert (target["column"], target["anomaly"], target["normal"]) == ("诊断结果", "恶性", "良性")
    assert "按列名" in target["how"]


def test_unnamed_target_is_asked_for_with_choices(clean: Clean, patients: Patients) -> None:
    frame = patients().rename(columns={"diagnosis": "gruppe"})
    with pytest.raises(InputNeeded) as asked:
        split_table(clean(frame))
    assert asked.value.name == "target"
    assert asked.value.choices == ("smoker", "gruppe")


def test_wrong_target_names_the_nearest_column(clean: Clean, patients: Patients) -> None:
    with pytest.raises(BadData) as refused:
        split_table(clean(patients()), target="diagnose")
    assert "'diagnosis'" in refused.value.hint


@pytest.mark.parametrize(
    ("normal", "anomalous", "anomaly"),
    [
        (0, 1, "1"),
        (False, True, "True"),
        ("否", "是", "是"),
        ("B", "M", "M"),
        ("legit", "fraud", "fraud"),
        (2, 4, "4"),  # no telling word: the rarer
        ("green", "blue", "blue"),
        (0.0, 1.0, "1"),
    ],
)
def test_anomaly_is_known_by_its_word_or_by_being_rarer(
    clean: Clean, patients: Patients, normal: object, anomalous: object, anomaly: str
) -> None:
    frame = patients(share=0.1)
    values: Any = [anomalous if d == "positive" else normal for d in frame["diagnosis"]]
    split = split_table(clean(frame.assign(diagnosis=values)))
    assert split["summary"]["target"]["anomaly"] == anomaly
    assert sum(split["summary"]["anomalies"].values()) == (frame["diagnosis"] == "positive").sum()
    assert (
        repr(anomaly)[1:-1] in split["summary"]["target"]["how"]
        or "normal" in split["summary"]["target"]["how"]
    )


def test_anomaly_known_by_its_word_may_be_the_more_common(clean: Clean, patients: Patients) -> None:
    assert find_target(clean(patients(share=0.7)), None, "en")["anomaly"] == "positive"


def test_more_than_two_classes_are_joined_and_said(clean: Clean, patients: Patients) -> None:
    frame = patients()
    classes = np.where(np.arange(len(frame)) % 5 == 0, "stage 2", frame["diagnosis"])
    target = find_target(clean(frame.assign(diagnosis=classes)), None, "en")
    assert target["normal"] == "negative"
    assert target["anomaly_values"] == ["positive", "stage 2"]
    assert "3 classes" in target["how"]


def test_measurement_as_target_is_refused(clean: Clean, patients: Patients) -> None:
    with pytest.raises(BadData, match=r"240 different values.*nothing here learns to predict a number") as no:
        split_table(clean(patients()), target="glucose")
    assert "correlations" in no.value.hint
    with pytest.raises(BadData, match="没有预测数值的功能"):
        split_table(clean(patients()), target="glucose", language="zh")
    with pytest.raises(BadData, match="'outcome' is a number"):
        split_table(clean(patients().drop(columns="diagnosis").rename(columns={"glucose": "outcome"})))


def test_normal_value_that_nothing_tells_is_asked_for(clean: Clean, patients: Patients) -> None:
    frame = patients(share=0.4)
    frame["diagnosis"] = frame["diagnosis"].map({"positive": "blue", "negative": "green"})
    with pytest.raises(InputNeeded, match="Which value of 'diagnosis' is the normal one") as asked:
        split_table(clean(frame))
    assert (asked.value.name, asked.value.choices) == ("normal", ("green", "blue"))
    target = split_table(clean(frame), normal="Blue")["summary"]["target"]
    assert (target["normal"], target["anomaly"]) == ("blue", "green")


@pytest.mark.parametrize("other", [["A", "B", "C"], ["0", "1", "2"], ["cat", "dog", "bird"]])
def test_of_three_values_the_most_common_is_not_taken_as_normal(
    clean: Clean, patients: Patients, other: list[str]
) -> None:
    values = [other[0 if i % 20 > 1 else 1 + i % 20] for i in range(240)]
    frame = patients().assign(diagnosis=values)
    with pytest.raises(InputNeeded) as asked:
        find_target(clean(frame), None, "en")
    assert asked.value.name == "normal"
    assert find_target(clean(frame), None, "en", other[1])["normal_values"] == [other[1]]


@pytest.mark.parametrize("normal", ["none", "Healthy", "normal", "benign", "OK", "正常", "健康"])
def test_of_three_values_a_telling_word_is_normal(clean: Clean, patients: Patients, normal: str) -> None:
    values = [(normal, "type 1", "type 2")[i % 3] for i in range(240)]
    target = find_target(clean(patients().assign(diagnosis=values)), None, "en")
    assert target["normal_values"] == [normal]
    assert target["anomaly_values"] == ["type 1", "type 2"]


def test_given_normal_value_wins_and_must_exist(clean: Clean, patients: Patients) -> None:
    assert find_target(clean(patients()), None, "en", "positive")["anomaly"] == "negative"
    with pytest.raises(BadData, match="no value 'well'") as refused:
        find_target(clean(patients()), None, "en", "well")
    assert "'positive'" in refused.value.hint


def test_target_with_one_class_is_refused(clean: Clean, patients: Patients) -> None:
    with pytest.raises(BadData, match=r"one value only \('positive'\)"):
        split_table(clean(patients().assign(diagnosis="positive")))


def test_too_few_rows_or_anomalies_are_refused(clean: Clean, patients: Patients) -> None:
    with pytest.raises(BadData, match="Too little to learn from: 20 labelled rows"):
        split_table(clean(patients(rows=20)))
    with pytest.raises(BadData, match="Too little to learn from"):
        split_table(clean(patients(rows=200, share=0.02)))


def test_rows_without_a_label_are_left_out_and_said(clean: Clean, patients: Patients) -> None:
    frame = patients()
    frame.loc[:9, "diagnosis"] = None
    split = split_table(clean(frame))
    assert sum(split["summary"]["rows"].values()) == 230
    assert "10 row(s) without a value in 'diagnosis'" in " ".join(split["summary"]["notes"])


def test_copy_of_the_target_is_left_out_with_a_warning(clean: Clean, patients: Patients) -> None:
    frame = patients()
    frame["code"] = np.where(frame["diagnosis"] == "positive", 7, 3)
    split = split_table(clean(frame))
    assert "code" not in split["summary"]["features"]
    assert "'code' says the same as the target" in split["summary"]["warnings"][0]


def test_column_that_separates_alone_is_warned_of(clean: Clean, patients: Patients) -> None:
    frame = patients()
    frame["after"] = frame["noise"] + np.where(frame["diagnosis"] == "positive", 100.0, 0.0)
    split = split_table(clean(frame))
    assert "after" in split["summary"]["features"]
    assert "'after' alone separates" in split["summary"]["warnings"][0]


def test_rows_of_one_patient_stay_together(clean: Clean, patients: Patients) -> None:
    frame = patients(rows=400).drop(columns="patient_no")
    frame["patient_id"] = np.arange(400) // 4
    split = split_table(clean(frame))
    assert "patient_id" not in split["summary"]["features"]
    assert "All rows of one 'patient_id'" in " ".join(split["summary"]["notes"])
    by_noise = dict(zip(frame["noise"], frame["patient_id"], strict=True))
    seen = {
        name: {by_noise[v] for v in split[name]["features"]["noise"]}
        for name in ("train", "validation", "test")
    }
    assert sum(map(len, seen.values())) == len(set().union(*seen.values())) == 100


def test_table_of_text_only_has_nothing_to_learn_from(clean: Clean) -> None:
    frame = pd.DataFrame(
        {
            "remark": [f"patient {i} came in and felt so and so" for i in range(100)],
            "diagnosis": ["ill", "well"] * 50,
        }
    )
    with pytest.raises(BadData, match="No column can be learnt from: remark"):
        split_table(clean(frame))


def test_table_without_any_label_says_what_else_can_be_done(clean: Clean) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=50), "b": random.normal(size=50)})
    with pytest.raises(BadData) as refused:
        split_table(clean(frame))
    assert "unusual rows" in refused.value.hint

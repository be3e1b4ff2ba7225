import re
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from pydantic import TypeAdapter

from easynet.core.language import Language
from easynet.core.report import DataSource, Report, Section
from easynet.specialists import plots
from easynet.specialists.choosing import choose_detector
from easynet.specialists.cleaning import CleanTable
from easynet.specialists.correlations import correlate_columns
from easynet.specialists.evaluation import evaluate_detector
from easynet.specialists.forecast import check_forecast, forecast_sales
from easynet.specialists.groups import summarise_by_group
from easynet.specialists.opportunities import growth_opportunities
from easynet.specialists.outliers import detect_outliers
from easynet.specialists.present_correlations import present_correlations
from easynet.specialists.present_detector import present_detector
from easynet.specialists.present_forecast import present_forecast
from easynet.specialists.present_groups import present_groups
from easynet.specialists.present_opportunities import present_opportunities
from easynet.specialists.present_outliers import present_outliers
from easynet.specialists.present_profile import present_profile
from easynet.specialists.present_sales import present_sales
from easynet.specialists.present_trend import present_trend
from easynet.specialists.profile import profile_table
from easynet.specialists.report import compose_report
from easynet.specialists.sales import sales_table
from easynet.specialists.splitting import split_table
from easynet.specialists.supervised import train_supervised
from easynet.specialists.table_io import RawTable
from easynet.specialists.trend import sales_trend
from easynet.specialists.wording import Money

pytestmark = pytest.mark.slow

Clean = Callable[[pd.DataFrame], CleanTable]
Frames = Callable[..., pd.DataFrame]
HAN = re.compile(r"[\u4e00-\u9fff]")


def words(section: Section) -> list[str]:
    """Everything a section says, apart from the cells of its tables."""
    tables = [t["title"] for t in section["tables"]] + [c for t in section["tables"] for c in t["columns"]]
    return [section["title"], *section["headline"], *section["text"], *tables] + [
        f["title"] for f in section["figures"]
    ]


def detector_sections(clean: Clean, patients: Frames, language: Language) -> list[Section]:
    frame = patients()
    table = clean(frame)
    split = split_table(table, language=language)
    candidate = train_supervised(split["train"], split["validation"], language)
    chosen = choose_detector([candidate], split["validation"], language)
    evaluation = evaluate_detector(chosen, split["test"], language)
    outliers = detect_outliers(table, language)
    return [
        present_detector(chosen, evaluation, split["summary"], language),
        present_profile(profile_table(RawTable(frame=frame, notes=[]), language), language),
        present_correlations(correlate_columns(table, language), language),
        present_outliers(outliers, language),
        present_groups(summarise_by_group(table, "smoker", "glucose", language=language), language),
    ]


def sales_sections(sales_frame: Frames, language: Language) -> list[Section]:
    sales = sales_table(RawTable(frame=sales_frame(), notes=[]), language=language)
    trend, forecast = sales_trend(sales, language), forecast_sales(sales, None, language)
    return [
        present_sales(sales, language),
        present_trend(trend, language),
        present_forecast(forecast, check_forecast(forecast), language),
        present_opportunities(growth_opportunities(sales, trend, forecast, language), language),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_sections_are_complete_small_and_in_one_language(
    clean: Clean, patients: Frames, sales_frame: Frames, language: Language
) -> None:
    sections = [*detector_sections(clean, patients, language), *sales_sections(sales_frame, language)]
    for section in sections:
        TypeAdapter(Section).validate_python(section)
        assert section["headline"] or section["title"] in ("Data", "数据")
        for sentence in words(section):
            has_han = bool(HAN.search(sentence))
            if language == "en":
                assert not has_han, sentence
            elif len(sentence) > 30 and "," not in sentence[:30]:
                assert has_han, sentence
        for figure in section["figures"]:
            assert len(figure["png"]) < 60_000
            assert figure["alt"]
            with Image.open(BytesIO(figure["png"])) as image:
                assert image.format == "PNG"
                assert image.width == 840
        for view in section["tables"]:
            assert all(len(row) == len(view["columns"]) for row in view["rows"])


def test_detector_section_says_how_sure_it_is(detector_chain: Any) -> None:
    section = present_detector(
        detector_chain.chosen, detector_chain.evaluation, detector_chain.split["summary"]
    )
    text = " ".join([*section["headline"], *section["text"]])
    counts = detector_chain.evaluation["confusion"]
    assert f"found {counts['true_positive']} of 43 anomalies (malignant)" in section["headline"][0]
    assert "95% interval" in section["headline"][1]
    assert "62.3%" in section["headline"][1]
    assert "overlaps" in text
    assert "not a medical device" in text
    assert "one random split" in text
    assert "X-ray" not in text


def test_worthless_detector_is_called_so_first(detector_chain: Any) -> None:
    evaluation = deepcopy(detector_chain.evaluation)
    evaluation["metrics"]["auc"], evaluation["intervals"]["auc"] = 0.55, [0.45, 0.66]
    split = detector_chain.split["summary"]
    line = present_detector(detector_chain.chosen, evaluation, split)["headline"][0]
    assert line.startswith("This detector is no better than guessing (AUC 0.550")
    assert line.endswith("Do not use it.")
    line = present_detector(detector_chain.chosen, evaluation, split, "zh")["headline"][0]
    assert line.startswith("这个检测器并不比随机猜测更好")


def test_merged_classes_are_named_in_the_headline(detector_chain: Any) -> None:
    split = deepcopy(detector_chain.split["summary"])
    split["target"]["anomaly_values"] = ["atypical", "malignant"]
    line = present_detector(detector_chain.chosen, detector_chain.evaluation, split)["headline"][0]
    assert "('atypical', 'malignant' together; normal is 'benign')" in line
    assert line.startswith(
        "This detector only tells normal ('benign') from not normal ('atypical', 'malignant');"
        " it does not predict which value a row has. "
    )
    line = present_detector(detector_chain.chosen, detector_chain.evaluation, split, "zh")["headline"][0]
    assert line.startswith("这个检测器只区分正常（'benign'）与不正常（'atypical'、'malignant'），不预测")
    plain = present_detector(
        detector_chain.chosen, detector_chain.evaluation, detector_chain.split["summary"]
    )
    assert "only tells" not in plain["headline"][0]


def test_what_may_be_misread_in_sales_is_in_the_headline(sales_frame: Frames) -> None:
    frame = sales_frame(days=311).rename(columns={"amount": "x"})
    section = present_sales(sales_table(RawTable(frame=frame, notes=["The file was read as gb18030."])))
    assert section["headline"][0].startswith("The column 'x' was taken as the amount sold")
    assert section["text"][1].startswith("Columns used: date: 'date', region: 'region'")
    assert "The file was read as gb18030." in section["text"]
    assert any("Incomplete periods" in line for line in section["text"])
    assert len(section["tables"][0]["rows"]) == 24


def test_clear_growth_is_said_without_signs(sales_frame: Frames) -> None:
    frame = sales_frame()
    frame = frame[frame["region"] == "North"]
    frame["amount"] = [f"${amount:.2f}" for amount in frame["amount"]]
    trend = sales_trend(sales_table(RawTable(frame=frame.reset_index(drop=True), notes=[])))
    line = present_trend(trend)["headline"][0]
    assert re.match(
        r"Total sales grew by \$[\d,]+ \([\d.]+%, 95% interval \$[\d,]+ to \$[\d,]+\), the last", line
    )
    trend["change"] |= {"change": -5000.0, "percent": -0.05, "low": -7000.0, "high": -3000.0}
    line = present_trend(trend)["headline"][0]
    assert line.startswith("Total sales fell by $5,000 (5.0%, 95% interval $3,000 to $7,000)")


def test_profile_names_what_is_there(sales_frame: Frames) -> None:
    frame = sales_frame(days=40)
    line = present_profile(profile_table(RawTable(frame=frame, notes=[])))["headline"][0]
    assert line == (
        "240 rows and 4 columns ('date', 'region', 'product', 'amount'), from 2022-01-03 to 2022-02-11;"
        " no gaps."
    )
    frame.loc[0, "amount"] = None
    frame.loc[2] = frame.loc[1]
    line = present_profile(profile_table(RawTable(frame=frame, notes=[]), "zh"), "zh")["headline"][0]
    assert line.endswith("；缺失 1 个值（0.1%），1 行与前面的行重复。")


@pytest.mark.parametrize(
    ("amounts", "currency", "written"),
    [
        ([63.73, 1234.5], "", ["64", "1,234"]),
        ([63.734, 1.2], "$", ["$63.73", "$1.20"]),
        ([-0.3, -2500.0], "€", ["€0", "-€2,500"]),
        ([0.0123, 0.5], "", ["0.0123", "0.5000"]),
        ([1500.0], "元", ["1,500 元"]),
        ([1500.0], "CHF", ["CHF 1,500"]),
    ],
)
def test_amounts_that_stand_together_have_the_same_decimals(
    amounts: list[float], currency: str, written: list[str]
) -> None:
    assert [*map(Money.like(amounts, currency).plain, amounts)] == written


def test_opportunities_say_what_is_not_settled(sales_chain: Any) -> None:
    section = present_opportunities(sales_chain.opportunities)
    assert section["headline"][0].startswith("The region that grew most is North: +")
    assert any("West" in line and "decline" in line for line in section["headline"])
    assert section["headline"][-1] == "Not distinguishable from no change: South, Coffee, Tea."
    assert [t["title"] for t in section["tables"]] == ["Regions", "Products", "Products in regions"]
    assert section["tables"][0]["rows"][1][2] == "not distinguishable from zero"
    assert all(t["columns"][1:3] == ["Segment", "Verdict"] for t in section["tables"])
    assert all("Share" not in t["columns"] for t in section["tables"])


def test_report_of_demo_data_says_so_in_its_first_line(detector_chain: Any) -> None:
    profile = present_profile(detector_chain.profile)
    report = compose_report(detector_chain.loaded["source"], [profile])
    TypeAdapter(Report).validate_python(report)
    assert report["headline"][0].startswith("Demo data: Wisconsin breast cancer (569 rows")
    assert report["headline"][0].endswith("not yours.")
    assert "no images" in report["headline"][1]


def test_report_of_users_data_names_the_file_and_orders_sections() -> None:
    source = DataSource(name="patients.csv", is_demo=False, rows=1200, columns=7, note="")

    def section(title: str, order: int) -> Section:
        return Section(title=title, order=order, headline=[f"{title}."] * 5, text=[], tables=[], figures=[])

    report = compose_report(source, [section("Later", 80), section("First", 10)])
    assert report["title"] == "First: patients.csv"
    assert report["headline"][0] == "Data: patients.csv (1,200 rows, 7 columns)."
    assert [s["title"] for s in report["sections"]] == ["First", "Later"]
    assert report["headline"][1:] == ["First."] * 3 + ["Later."] * 3


def test_report_in_chinese_names_the_data_in_chinese() -> None:
    source = DataSource(name="示例", is_demo=True, rows=569, columns=31, note="")
    assert compose_report(source, [], "zh")["headline"] == ["演示数据：示例（569 行，31 列），不是您的数据。"]


def test_names_that_no_font_can_draw_become_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    plots._characters.cache_clear()
    plots.font_families.cache_clear()
    monkeypatch.setattr(plots, "_CJK_FONTS", ())
    try:
        assert plots.name_label("华东", 3) == "#3"
        assert plots.name_label("North", 3) == "North"
        assert plots.label("zh", "sales", "销售额") == "sales"
        drawing = plots.bars(["华东", "a $b$ c"], [1.0, 2.0], x_label="x")
        assert plots.finished(drawing, "t", "a")["png"].startswith(b"\x89PNG")
    finally:
        plots._characters.cache_clear()
        plots.font_families.cache_clear()

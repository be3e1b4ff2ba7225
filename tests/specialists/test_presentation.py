import re
from collections.abc import Callable
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
from easynet.specialists.present_trend import present_trend
from easynet.specialists.profile import profile_table
from easynet.specialists.report import compose_report
from easynet.specialists.sales import sales_table
from easynet.specialists.splitting import split_table
from easynet.specialists.supervised import train_supervised
from easynet.specialists.table_io import RawTable
from easynet.specialists.trend import sales_trend

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
        present_groups(summarise_by_group(table, "smoker", "glucose", language), language),
    ]


def sales_sections(sales_frame: Frames, language: Language) -> list[Section]:
    sales = sales_table(RawTable(frame=sales_frame(), notes=[]), language=language)
    trend, forecast = sales_trend(sales, language), forecast_sales(sales, None, language)
    return [
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
        assert section["headline"]
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


def test_opportunities_say_what_is_not_settled(sales_chain: Any) -> None:
    section = present_opportunities(sales_chain.opportunities)
    assert section["headline"][0].startswith("The region that grew most is North: +")
    assert any("West" in line and "decline" in line for line in section["headline"])
    assert section["headline"][-1] == "Not distinguishable from no change: South, Coffee, Tea."
    assert [t["title"] for t in section["tables"]] == ["Regions", "Products", "Products in regions"]
    assert section["tables"][0]["rows"][1][-1] == "not distinguishable from zero"


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

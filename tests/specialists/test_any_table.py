"""Whatever a file holds, the answer is a result or a sentence, never a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easynet.core.errors import EasyNetError
from easynet.specialists.cleaning import clean_table
from easynet.specialists.correlations import correlate_columns
from easynet.specialists.forecast import forecast_sales
from easynet.specialists.groups import summarise_by_group
from easynet.specialists.opportunities import growth_opportunities
from easynet.specialists.outliers import detect_outliers
from easynet.specialists.profile import profile_table
from easynet.specialists.sales import sales_table
from easynet.specialists.splitting import split_table
from easynet.specialists.table_io import RawTable, load_table
from easynet.specialists.trend import sales_trend

NAMES = st.sampled_from(["date", "amount", "diagnosis", "region", "product", "id", "x", "x", "", "标签"])
CELLS = (
    st.integers(0, 9).map(str),
    st.floats(-1e6, 1e6).map(lambda v: f"{v:.2f}"),
    st.sampled_from(["yes", "no", ""]),
    st.just(""),
    st.sampled_from(["NA", "x y", "ä", "华东"]),
    st.dates().map(str),
    st.sampled_from(["inf", "1e400", "-", "nan", "1,5"]),
    st.text(alphabet="abc ,;.\t", max_size=5),
)


@st.composite
def files(draw: st.DrawFn) -> str:
    width, height = draw(st.integers(1, 5)), draw(st.integers(0, 60))
    kinds = [draw(st.sampled_from(CELLS)) for _ in range(width)]
    lines = [",".join(draw(NAMES) for _ in range(width))]
    # One draw of a few cells per column, repeated: long files from short examples.
    columns = [draw(st.lists(kind, min_size=1, max_size=12)) for kind in kinds]
    for row in range(height):
        lines.append(",".join(f'"{column[row * 7 % len(column)]}"' for column in columns))
    return "\n".join(lines)


def analyse(table: RawTable) -> None:
    clean = clean_table(table, profile_table(table))
    split_table(clean)


def look(table: RawTable) -> None:
    correlate_columns(clean_table(table, profile_table(table)))


def search(table: RawTable) -> None:
    detect_outliers(clean_table(table, profile_table(table)))


def group(table: RawTable) -> None:
    summarise_by_group(clean_table(table, profile_table(table)))


def sell(table: RawTable) -> None:
    sales = sales_table(table)
    trend, forecast = sales_trend(sales), forecast_sales(sales)
    growth_opportunities(sales, trend, forecast)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=files())
def test_any_file_gives_a_result_or_a_sentence(
    content: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = Path(tmp_path_factory.getbasetemp()) / "any.csv"
    path.write_text(content)
    steps: list[Callable[[RawTable], None]] = [analyse, look, search, group, sell]
    try:
        table = load_table(path)["table"]
    except EasyNetError:
        return
    for step in steps:
        try:
            step(table)
        except EasyNetError as error:
            assert error.message.endswith((".", "?"))

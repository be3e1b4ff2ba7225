"""Whatever a file holds, the answer is a result or a sentence, never a traceback."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

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

NAMES = ["date", "amount", "diagnosis", "region", "product", "id", "x", "x", "", "标签"]
CELLS: list[Callable[[Random], str]] = [
    lambda random: str(random.randrange(10)),
    lambda random: f"{random.gauss(0, 1e3):.2f}",
    lambda random: random.choice(["yes", "no", ""]),
    lambda random: "",
    lambda random: random.choice(["NA", "x y", "ä", "华东"]),
    lambda random: f"2024-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
    lambda random: f"{random.randrange(1, 3000):04}-{random.randrange(1, 13):02}-01",
    lambda random: f"{random.randrange(1, 29)}/{random.randrange(1, 13)}/2023",
    lambda random: random.choice(["inf", "1e400", "-", "nan", "1,5", "1e300"]),
    lambda random: str(random.randrange(10**9)),
    lambda random: "".join(random.choice("abc ,;.\t'") for _ in range(4)),
]


def table_text(seed: int) -> str:
    random = Random(seed)
    cells = [random.choice(CELLS) for _ in range(random.randrange(1, 6))]
    lines = [",".join(random.choice(NAMES) for _ in cells)]
    lines += [",".join(f'"{cell(random)}"' for cell in cells) for _ in range(random.randrange(80))]
    return "\n".join(lines)


def split(table: RawTable) -> None:
    split_table(clean_table(table, profile_table(table)))


def correlate(table: RawTable) -> None:
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
@pytest.mark.parametrize("seed", range(40))
def test_any_file_gives_a_result_or_a_sentence(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_text(table_text(seed))
    sentences: list[str] = []
    for step in (split, correlate, search, group, sell):
        try:
            step(load_table(path)["table"])
        except EasyNetError as error:
            sentences.append(error.message)
    assert all(sentence.endswith((".", "?")) for sentence in sentences)

"""Files to work on, and both chains run once for all tests that look at their results."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from easynet.core.call import CallContext, call_context
from easynet.specialists.candidate import DetectorCandidate
from easynet.specialists.choosing import ChosenDetector, choose_detector
from easynet.specialists.cleaning import CleanTable, clean_table
from easynet.specialists.demo_data import medical_demo_data
from easynet.specialists.evaluation import Evaluation, evaluate_detector
from easynet.specialists.forecast import Forecast, forecast_sales
from easynet.specialists.one_class import train_one_class
from easynet.specialists.opportunities import Opportunities, growth_opportunities
from easynet.specialists.profile import TableProfile, profile_table
from easynet.specialists.sales import SalesTable, sales_table
from easynet.specialists.splitting import Split, split_table
from easynet.specialists.supervised import train_supervised
from easynet.specialists.table_io import Loaded, RawTable, load_table
from easynet.specialists.trend import Trend, sales_trend

Write = Callable[..., Path]


def silent_call(scratch: Path) -> CallContext:
    """A call whose progress nobody watches."""
    return CallContext(
        report=lambda fraction, message: None, scratch=lambda: scratch, is_cancelled=lambda: False
    )


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path) -> Generator[Path]:
    """The folder of the current call."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    with call_context(silent_call(folder)):
        yield folder


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a text or bytes into a file, and give its path."""

    def written(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def raw(frame: pd.DataFrame) -> RawTable:
    return RawTable(frame=frame, notes=[])


def cleaned(frame: pd.DataFrame) -> CleanTable:
    """A frame after profile and cleaning."""
    table = raw(frame)
    return clean_table(table, profile_table(table))


@pytest.fixture
def clean() -> Callable[[pd.DataFrame], CleanTable]:
    return cleaned


def patients(rows: int = 240, seed: int = 0, share: float = 0.3) -> pd.DataFrame:
    """Made-up patients: two measurements that differ by class, one that does not, a category, an id."""
    random = np.random.default_rng(seed)
    is_ill = random.random(rows) < share
    return pd.DataFrame(
        {
            "patient_no": [f"P{i:05d}" for i in range(rows)],
            "glucose": random.normal(5, 1, rows) + 2.0 * is_ill,
            "pressure": random.normal(120, 10, rows) + 15 * is_ill,
            "noise": random.normal(0, 1, rows),
            "smoker": random.choice(["yes", "no"], rows),
            "diagnosis": np.where(is_ill, "positive", "negative"),
        }
    )


@pytest.fixture(name="patients")
def patients_fixture() -> Callable[..., pd.DataFrame]:
    return patients


def sales_frame(days: int = 900, seed: int = 1) -> pd.DataFrame:
    """Daily sales: the region North grows by a fifth a year, South stays, West shrinks; a yearly season."""
    random = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, float]] = []
    for i, day in enumerate(pd.date_range("2022-01-03", periods=days)):
        season = 1 + 0.3 * math.sin(2 * math.pi * i / 364)  # 52 weeks
        for region, growth in (("North", 0.2), ("South", 0.0), ("West", -0.15)):
            for product, size in (("Tea", 100.0), ("Coffee", 200.0)):
                amount = size * season * (1 + growth * i / 365) * (1 + random.normal(0, 0.15))
                rows.append((day.date().isoformat(), region, product, round(amount, 2)))
    return pd.DataFrame(rows, columns=["date", "region", "product", "amount"])


@pytest.fixture(name="sales_frame")
def sales_frame_fixture() -> Callable[..., pd.DataFrame]:
    return sales_frame


@dataclass(frozen=True)
class DetectorChain:
    """Everything between the demo data and the evaluation."""

    loaded: Loaded
    profile: TableProfile
    table: CleanTable
    split: Split
    one_class: DetectorCandidate
    supervised: DetectorCandidate
    chosen: ChosenDetector
    evaluation: Evaluation


@pytest.fixture(scope="session")
def detector_chain(tmp_path_factory: pytest.TempPathFactory) -> DetectorChain:
    with call_context(silent_call(tmp_path_factory.mktemp("detector"))):
        loaded = medical_demo_data()
        profile = profile_table(loaded["table"])
        table = clean_table(loaded["table"], profile)
        split = split_table(table)
        one_class = train_one_class(split["train"], split["validation"])
        supervised = train_supervised(split["train"], split["validation"])
        chosen = choose_detector([one_class, supervised], split["validation"])
        evaluation = evaluate_detector(chosen, split["test"])
    return DetectorChain(loaded, profile, table, split, one_class, supervised, chosen, evaluation)


@dataclass(frozen=True)
class SalesChain:
    """Everything between a sales file and its opportunities."""

    loaded: Loaded
    sales: SalesTable
    trend: Trend
    forecast: Forecast
    opportunities: Opportunities


@pytest.fixture(scope="session")
def sales_chain(tmp_path_factory: pytest.TempPathFactory) -> SalesChain:
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    sales_frame().to_csv(path, index=False)
    loaded = load_table(path)
    sales = sales_table(loaded["table"])
    trend, forecast = sales_trend(sales), forecast_sales(sales)
    return SalesChain(loaded, sales, trend, forecast, growth_opportunities(sales, trend, forecast))

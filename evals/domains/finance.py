"""Money: loans, portfolios and currencies."""

import math
import random
from itertools import pairwise
from typing import Any, TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_PATHS = 50_000
_DAYS = 20


class LoanTerms(TypedDict):
    """What was agreed about a loan."""

    amount: float
    monthly_rate: float
    months: int


class AnnuityPlan(TypedDict):
    """Repayment in equal instalments."""

    instalment: float
    interest: float
    balance: list[float]


class LinearPlan(TypedDict):
    """Repayment of the same part of the debt each month."""

    first: float
    last: float
    interest: float


class LoanComparison(TypedDict):
    """Which way to repay is cheaper, and by how much."""

    cheaper: str
    saved: float
    instalment: float


class PriceHistory(TypedDict):
    """Closing prices, the oldest first."""

    names: list[str]
    prices: list[list[float]]


class DailyReturns(TypedDict):
    """Relative changes from day to day."""

    names: list[str]
    returns: list[list[float]]


class Covariance(TypedDict):
    """How shares move together, per day."""

    names: list[str]
    matrix: list[list[float]]


class Weights(TypedDict):
    """The share of each in a portfolio."""

    names: list[str]
    weights: list[float]


class ValueAtRisk(TypedDict):
    """A loss that is exceeded in one month of twenty."""

    loss: float
    worst: float


class Drawdowns(TypedDict):
    """The deepest fall of each from an earlier high."""

    names: list[str]
    deepest: list[float]


class PortfolioRisk(TypedDict):
    """What a portfolio risks."""

    volatility: float
    loss: float
    deepest: float
    largest: str


class ConvertedSums(TypedDict):
    """Amounts in one currency."""

    currency: str
    amounts: list[float]
    total: float


@contribute(
    en="Read the terms of a loan: amount, yearly interest rate and years.",
    zh="读取贷款条件：金额、年利率和年数。",
    specialization="finance",
    tags=("loan", "mortgage", "贷款", "房贷"),
    price=1,
    expected_s=0.02,
)
def read_loan(loan_amount: float, yearly_rate: float, years: int) -> LoanTerms:
    if loan_amount <= 0 or years <= 0 or not 0 <= yearly_rate < 1:
        raise BadData("a loan has an amount, a rate from 0 to 1 and a number of years")
    return {"amount": float(loan_amount), "monthly_rate": yearly_rate / 12, "months": 12 * int(years)}


@contribute(
    en="Plan the repayment of a loan in equal monthly instalments.",
    zh="制定等额本息的贷款还款计划。",
    specialization="finance",
    tags=("annuity", "instalment", "monthly payment", "等额本息", "月供"),
    examples=("what do I pay each month for my loan?", "我的贷款每月要还多少"),
    price=2,
    expected_s=0.05,
)
def plan_annuity(terms: LoanTerms) -> AnnuityPlan:
    rate, months, left = terms["monthly_rate"], terms["months"], terms["amount"]
    instalment = left / months if not rate else left * rate / (1 - (1 + rate) ** -months)
    interest, balance = 0.0, [round(left, 2)]
    for month in range(1, months + 1):
        interest += left * rate
        left -= instalment - left * rate
        if month % 12 == 0:
            balance.append(round(max(0.0, left), 2))
    return {"instalment": round(instalment, 2), "interest": round(interest, 2), "balance": balance}


@contribute(
    en="Plan the repayment of a loan with the same part of the debt each month.",
    zh="制定等额本金的贷款还款计划。",
    specialization="finance",
    tags=("linear repayment", "falling payments", "等额本金", "递减还款"),
    price=2,
    expected_s=0.05,
)
def plan_linear(terms: LoanTerms) -> LinearPlan:
    part, rate = terms["amount"] / terms["months"], terms["monthly_rate"]
    payments = [part + (terms["amount"] - part * n) * rate for n in range(terms["months"])]
    return {
        "first": round(payments[0], 2),
        "last": round(payments[-1], 2),
        "interest": round(sum(payments) - terms["amount"], 2),
    }


@contribute(
    en="Compare the ways to repay a loan: which costs less interest?",
    zh="比较贷款的还款方式：哪种利息更少。",
    specialization="finance",
    tags=("compare repayment", "less interest", "比较还款", "还款方式", "利息更少"),
    examples=("should I repay my loan in equal instalments?", "等额本息和等额本金哪个划算"),
    price=2,
    expected_s=0.05,
)
def compare_repayments(annuity: AnnuityPlan, linear: LinearPlan) -> LoanComparison:
    saved = annuity["interest"] - linear["interest"]
    return {
        "cheaper": "linear" if saved > 0 else "annuity",
        "saved": round(abs(saved), 2),
        "instalment": annuity["instalment"],
    }


@contribute(
    en="Read share prices: closing prices of several shares, day by day.",
    zh="读取股价：若干股票每天的收盘价。",
    specialization="finance",
    tags=("shares", "stocks", "prices", "股票", "股价", "收盘价"),
    price=1,
    expected_s=0.03,
)
def read_prices(prices: dict[str, Any]) -> PriceHistory:
    history = {str(name): [float(p) for p in row] for name, row in prices.items()}
    if len({len(row) for row in history.values()}) != 1 or min(map(len, history.values())) < 3:
        raise BadData("every share needs the same number of prices, three or more")
    return {"names": [*history], "prices": [*history.values()]}


@contribute(
    en="Compute the daily returns of shares.",
    zh="计算股票的日收益率。",
    specialization="finance",
    tags=("returns", "daily change", "收益率", "日收益"),
    price=1,
    expected_s=0.05,
)
def daily_returns(history: PriceHistory) -> DailyReturns:
    rows = [[round(b / a - 1, 6) for a, b in pairwise(row)] for row in history["prices"]]
    return {"names": history["names"], "returns": rows}


@contribute(
    en="Compute how shares move together: their covariance.",
    zh="计算股票之间的协方差。",
    specialization="finance",
    tags=("covariance", "move together", "协方差", "联动"),
    examples=("do these shares move together?", "这些股票会一起涨跌吗"),
    price=2,
    expected_s=0.08,
)
def share_covariance(returns: DailyReturns) -> Covariance:
    rows = returns["returns"]
    means = [sum(r) / len(r) for r in rows]

    def between(i: int, j: int) -> float:
        pairs = zip(rows[i], rows[j], strict=True)
        return sum((a - means[i]) * (b - means[j]) for a, b in pairs) / (len(rows[i]) - 1)

    return {
        "names": returns["names"],
        "matrix": [[round(between(i, j), 9) for j in range(len(rows))] for i in range(len(rows))],
    }


@contribute(
    en="Find the portfolio weights with the smallest variance.",
    zh="求方差最小的投资组合权重。",
    specialization="finance",
    tags=("minimum variance", "weights", "portfolio", "最小方差", "权重", "投资组合"),
    examples=("how should I split my money among these shares?", "资金该怎么分配到这些股票"),
    price=5,
    expected_s=0.2,
)
def least_risky_weights(covariance: Covariance) -> Weights:
    """By projected gradient descent on the simplex, from the equal split (Markowitz, 1952)."""
    matrix, count = covariance["matrix"], len(covariance["names"])
    weights = [1 / count] * count
    step = 0.4 / max(sum(map(abs, row)) for row in matrix)
    for _ in range(25_000):
        slope = [2 * sum(m * w for m, w in zip(row, weights, strict=True)) for row in matrix]
        weights = _on_simplex([w - step * s for w, s in zip(weights, slope, strict=True)])
    return {"names": covariance["names"], "weights": [round(w, 4) for w in weights]}


def _on_simplex(values: list[float]) -> list[float]:
    """The nearest point whose parts are not negative and add up to one (Duchi et al., 2008)."""
    total, shift = 0.0, 0.0
    for n, value in enumerate(sorted(values, reverse=True), 1):
        total += value
        if value > (total - 1) / n:
            shift = (total - 1) / n
    return [max(0.0, v - shift) for v in values]


@contribute(
    en="Simulate the value at risk of shares in a month.",
    zh="模拟股票一个月的风险价值。",
    specialization="finance",
    tags=("value at risk", "simulation", "loss", "风险价值", "损失", "蒙特卡洛"),
    examples=("how much could I lose in a month?", "一个月最多可能亏多少"),
    price=6,
    expected_s=0.4,
)
def simulate_losses(returns: DailyReturns) -> ValueAtRisk:
    """By bootstrap: months made of days that were, drawn with replacement."""
    rng = random.Random(3)
    days = [sum(day) / len(day) for day in zip(*returns["returns"], strict=True)]
    ends = sorted(math.prod(1 + r for r in rng.choices(days, k=_DAYS)) - 1 for _ in range(_PATHS))
    return {"loss": round(-ends[_PATHS // 20], 5), "worst": round(-ends[0], 5)}


@contribute(
    en="Find the deepest drawdown of each share.",
    zh="找出每只股票的最大回撤。",
    specialization="finance",
    tags=("drawdown", "deepest fall", "回撤", "最大回撤"),
    examples=("how far did each share fall from its high?", "每只股票从高点跌了多少"),
    price=2,
    expected_s=0.05,
)
def deepest_drawdowns(history: PriceHistory) -> Drawdowns:
    deepest: list[float] = []
    for row in history["prices"]:
        high, fall = row[0], 0.0
        for price in row:
            high = max(high, price)
            fall = max(fall, 1 - price / high)
        deepest.append(round(fall, 5))
    return {"names": history["names"], "deepest": deepest}


@contribute(
    en="Assess the risk of a share portfolio: volatility, losses and drawdowns.",
    zh="评估股票投资组合的风险：波动率、损失和回撤。",
    specialization="finance",
    tags=("portfolio risk", "assess portfolio", "组合风险", "评估组合", "投资风险"),
    examples=("how risky is my portfolio?", "我的投资组合风险有多大"),
    price=4,
    expected_s=0.05,
)
def assess_portfolio(
    weights: Weights, covariance: Covariance, losses: ValueAtRisk, drawdowns: Drawdowns
) -> PortfolioRisk:
    w, m = weights["weights"], covariance["matrix"]
    variance = sum(w[i] * w[j] * m[i][j] for i in range(len(w)) for j in range(len(w)))
    return {
        "volatility": round(math.sqrt(max(0.0, variance) * 252), 5),
        "loss": losses["loss"],
        "deepest": max(drawdowns["deepest"]),
        "largest": weights["names"][max(range(len(w)), key=w.__getitem__)],
    }


@contribute(
    en="Convert amounts of money into one currency by exchange rates.",
    zh="按汇率把各币种的金额换算成同一种货币。",
    specialization="finance",
    tags=("currency", "exchange rate", "convert", "汇率", "货币", "换算", "兑换"),
    examples=("what are these amounts in euros?", "这些金额合多少欧元"),
    price=1,
    expected_s=0.03,
)
def convert_currencies(
    amounts: dict[str, Any], rates: dict[str, Any], currency: str = "EUR"
) -> ConvertedSums:
    """`rates` are the worth of one unit of each in some common currency; missing ones count as one."""
    to = float(rates.get(currency, 1.0))
    converted = [round(float(a) * float(rates.get(c, 1.0)) / to, 2) for c, a in amounts.items()]
    return {"currency": currency, "amounts": converted, "total": round(sum(converted), 2)}

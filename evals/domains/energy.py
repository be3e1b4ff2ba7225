"""Energy of a household: heating, load, tariffs, solar panels and a battery."""

import math
from typing import Any, TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_HEATING_LIMIT_C = 15.0
_INDOORS_C = 20.0
_SUN = [max(0.0, math.sin(math.pi * (h - 6) / 12)) for h in range(24)]
"""The share of full sun in each hour of a clear day."""


class Temperatures(TypedDict):
    """Mean outdoor temperatures, day by day, in degrees Celsius."""

    days: list[float]


class DegreeDays(TypedDict):
    """How cold it was, as degrees below 20 on days below 15."""

    kelvin_days: float
    heating_days: int


class HeatingDemand(TypedDict):
    """Energy to keep a home warm."""

    kwh: float
    kwh_per_day: float


class ColdSpells(TypedDict):
    """Runs of days below freezing."""

    longest: int
    coldest: float
    spells: int


class MeterSeries(TypedDict):
    """Use of electricity, hour by hour, in kWh."""

    hours: list[float]


class LoadProfile(TypedDict):
    """Mean use of electricity by the hour of the day."""

    by_hour: list[float]
    kwh_per_day: float


class PeakLoad(TypedDict):
    """The hour of the highest use."""

    kw: float
    hour: int
    share: float


class BaseLoad(TypedDict):
    """What is used all the time."""

    kw: float
    share: float


class TariffComparison(TypedDict):
    """What each tariff would cost in a year."""

    names: list[str]
    per_year: list[float]
    cheapest: str


class SolarPlan(TypedDict):
    """Solar panels that fit a household."""

    kwp: float
    own_use: float
    by_hour: list[float]


class BatteryPlan(TypedDict):
    """A battery that fits the panels."""

    kwh: float
    self_sufficiency: float


class EnergyPlan(TypedDict):
    """A household's energy plan."""

    kwh_per_year: float
    tariff: str
    kwp: float
    battery_kwh: float
    heating_kwh: float
    self_sufficiency: float


@contribute(
    en="Read outdoor temperatures of a number of days.",
    zh="读取若干天的室外气温。",
    specialization="energy",
    tags=("temperature", "weather", "气温", "天气", "温度"),
    price=1,
    expected_s=0.02,
)
def read_temperatures(temperatures: list[float]) -> Temperatures:
    days = [float(t) for t in temperatures]
    if not days or min(days) < -90 or max(days) > 60:
        raise BadData("temperatures are degrees Celsius between -90 and 60, a day each")
    return {"days": days}


@contribute(
    en="Count the heating degree days of a winter.",
    zh="计算一个冬季的采暖度日数。",
    specialization="energy",
    tags=("degree days", "heating days", "度日", "采暖度日", "度日数"),
    examples=("how cold was the winter in degree days?", "这个冬天的度日数是多少"),
    price=1,
    expected_s=0.03,
)
def count_degree_days(temperatures: Temperatures) -> DegreeDays:
    cold = [t for t in temperatures["days"] if t < _HEATING_LIMIT_C]
    return {"kelvin_days": round(sum(_INDOORS_C - t for t in cold), 1), "heating_days": len(cold)}


@contribute(
    en="Find cold spells: runs of days below freezing.",
    zh="找出寒潮：连续低于零度的日子。",
    specialization="energy",
    tags=("cold spell", "frost", "freezing", "寒潮", "霜冻", "严寒"),
    examples=("how long did the frost last?", "霜冻持续了几天"),
    price=1,
    expected_s=0.03,
)
def find_cold_spells(temperatures: Temperatures) -> ColdSpells:
    runs, run = [], 0
    for t in [*temperatures["days"], _INDOORS_C]:
        if t < 0:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    return {"longest": max(runs, default=0), "coldest": min(temperatures["days"]), "spells": len(runs)}


@contribute(
    en="Estimate the energy that heating a home takes.",
    zh="估算住宅采暖所需的能量。",
    specialization="energy",
    tags=("heating demand", "heat a home", "采暖", "供暖", "取暖能耗"),
    examples=("how much heating will the house need?", "这套房子取暖要多少能量"),
    price=2,
    expected_s=0.05,
)
def estimate_heating(degree_days: DegreeDays, area_m2: float = 100.0) -> HeatingDemand:
    kwh = degree_days["kelvin_days"] * area_m2 * 1.3 * 24 / 1000
    return {"kwh": round(kwh, 1), "kwh_per_day": round(kwh / max(1, degree_days["heating_days"]), 2)}


@contribute(
    en="Read an electricity meter: the use of each hour.",
    zh="读取电表：每小时的用电量。",
    specialization="energy",
    tags=("meter", "electricity", "hourly", "电表", "用电", "电量"),
    price=1,
    expected_s=0.03,
)
def read_meter(readings: list[float]) -> MeterSeries:
    hours = [float(r) for r in readings]
    if len(hours) < 24 or min(hours) < 0:
        raise BadData("an electricity meter has readings of 24 hours or more, none below zero")
    return {"hours": hours}


@contribute(
    en="Build the load profile of a household: its electricity use by the hour of the day.",
    zh="生成家庭负荷曲线：一天中各小时的用电量。",
    specialization="energy",
    tags=("load profile", "by hour", "负荷曲线", "用电曲线"),
    examples=("when do we use how much electricity?", "我们什么时候用电多"),
    price=2,
    expected_s=0.08,
)
def build_load_profile(meter: MeterSeries) -> LoadProfile:
    hours = meter["hours"]
    by_hour = [round(sum(hours[h::24]) / len(hours[h::24]), 4) for h in range(24)]
    return {"by_hour": by_hour, "kwh_per_day": round(sum(by_hour), 3)}


@contribute(
    en="Find the peak load of a household.",
    zh="找出家庭的用电峰值。",
    specialization="energy",
    tags=("peak load", "highest use", "峰值", "用电高峰", "最高负荷"),
    examples=("when is our electricity use highest?", "用电高峰在几点"),
    price=1,
    expected_s=0.03,
)
def find_peak_load(meter: MeterSeries) -> PeakLoad:
    hours = meter["hours"]
    at = max(range(len(hours)), key=hours.__getitem__)
    return {"kw": hours[at], "hour": at % 24, "share": round(hours[at] / (sum(hours) or 1.0), 5)}


@contribute(
    en="Measure the base load of a household: what runs day and night.",
    zh="测算家庭的基础负荷：昼夜不停的用电。",
    specialization="energy",
    tags=("base load", "standby", "基础负荷", "待机"),
    examples=("how much electricity do we use while we sleep?", "睡觉时家里用多少电"),
    price=1,
    expected_s=0.03,
)
def measure_base_load(meter: MeterSeries) -> BaseLoad:
    hours = sorted(meter["hours"])
    kw = hours[len(hours) // 20]
    return {"kw": kw, "share": round(kw * len(hours) / (sum(hours) or 1.0), 4)}


@contribute(
    en="Compare electricity tariffs by what a household would pay in a year.",
    zh="比较电价方案：家庭一年要付多少电费。",
    specialization="energy",
    tags=("tariff", "electricity bill", "compare prices", "电价", "电费", "资费"),
    examples=("which electricity tariff is cheapest for us?", "哪种电价方案最省钱"),
    price=3,
    expected_s=0.1,
)
def compare_tariffs(profile: LoadProfile, tariffs: list[dict[str, Any]]) -> TariffComparison:
    """A tariff has a `name`, a `base` fee a month, a price by `day` for a kWh, and perhaps one by `night`."""
    costs: dict[str, float] = {}
    for tariff in tariffs:
        night = float(tariff.get("night", tariff["day"]))
        day_cost = sum(
            kwh * (night if h < 6 or h >= 22 else float(tariff["day"]))
            for h, kwh in enumerate(profile["by_hour"])
        )
        costs[str(tariff["name"])] = round(12 * float(tariff.get("base", 0)) + 365 * day_cost, 2)
    if not costs:
        raise BadData("there is no tariff to compare")
    return {"names": [*costs], "per_year": [*costs.values()], "cheapest": min(costs, key=lambda n: costs[n])}


@contribute(
    en="Size solar panels for a household.",
    zh="为家庭选择太阳能板的规模。",
    specialization="energy",
    tags=("solar", "panels", "photovoltaic", "太阳能", "光伏", "太阳能板"),
    examples=("how many solar panels do we need?", "我们需要装多大的光伏"),
    price=4,
    expected_s=0.2,
)
def size_solar_panels(profile: LoadProfile) -> SolarPlan:
    """The size at which the last panel is still used by half, by search over sizes and kinds of days."""
    best = (0.0, 0.0)
    for hundredths in range(5, 1_500, 5):
        kwp, used, made = hundredths / 100, 0.0, 0.0
        for weather in range(1, 41):
            for hour, sun in enumerate(_SUN):
                power = kwp * sun * weather / 40
                made += power
                used += min(power, profile["by_hour"][hour])
        if used / made >= 0.5:
            best = (kwp, used / made)
    kwp, share = best if best[0] else (0.1, 0.0)
    return {"kwp": kwp, "own_use": round(share, 4), "by_hour": [round(kwp * s * 0.5, 4) for s in _SUN]}


@contribute(
    en="Size a battery that stores what solar panels make.",
    zh="选择储存太阳能电力的电池容量。",
    specialization="energy",
    tags=("battery", "storage", "store", "电池", "储能", "蓄电池"),
    examples=("how large should our battery be?", "储能电池要多大"),
    price=4,
    expected_s=0.2,
)
def size_battery(profile: LoadProfile, solar: SolarPlan) -> BatteryPlan:
    """The smallest with which nine tenths of the best self-sufficiency are reached, by simulation."""
    shares = [_sufficiency(size / 10, profile["by_hour"], solar["by_hour"]) for size in range(201)]
    size = next(n for n, share in enumerate(shares) if share >= 0.9 * shares[-1])
    return {"kwh": size / 10, "self_sufficiency": round(shares[size], 4)}


def _sufficiency(capacity: float, use: list[float], sun: list[float]) -> float:
    charge = from_grid = 0.0
    for hour in range(24 * 60):
        charge += sun[hour % 24] - use[hour % 24]
        from_grid += max(0.0, -charge)
        charge = min(capacity, max(0.0, charge))
    return 1 - from_grid / (sum(use) * 60)


@contribute(
    en="Make an energy plan for a household: tariff, solar panels, battery and heating together.",
    zh="制定家庭能源方案：电价、太阳能板、电池和采暖合在一起。",
    specialization="energy",
    tags=("energy plan", "household", "能源方案", "家庭能源", "节能方案"),
    examples=("plan the energy of our house", "给我家做一个能源规划"),
    price=5,
    expected_s=0.05,
)
def plan_household_energy(
    profile: LoadProfile,
    tariffs_compared: TariffComparison,
    solar: SolarPlan,
    battery: BatteryPlan,
    heating: HeatingDemand,
) -> EnergyPlan:
    return {
        "kwh_per_year": round(365 * profile["kwh_per_day"], 1),
        "tariff": tariffs_compared["cheapest"],
        "kwp": solar["kwp"],
        "battery_kwh": battery["kwh"],
        "heating_kwh": heating["kwh"],
        "self_sufficiency": battery["self_sufficiency"],
    }

"""Deliveries: distances, routes, loads and zones."""

import math
import random
from typing import Any, TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_EARTH_KM = 6371.0
_RESTARTS = 1_200


class Stop(TypedDict):
    """Where something is to be delivered; the first one is the depot."""

    name: str
    lat: float
    lon: float
    kg: float


class Stops(TypedDict):
    """Stops that were checked."""

    stops: list[Stop]


class DistanceMatrix(TypedDict):
    """Kilometres between any two stops."""

    names: list[str]
    km: list[list[float]]


class TravelTimes(TypedDict):
    """Minutes between any two stops."""

    names: list[str]
    minutes: list[list[float]]


class Route(TypedDict):
    """A round trip from the depot."""

    order: list[str]
    km: float


class Packing(TypedDict):
    """Which parcels go into which van."""

    vans: list[list[str]]
    load_kg: list[float]


class Zones(TypedDict):
    """Stops that lie together."""

    zones: list[list[str]]
    spread_km: float


class FuelUse(TypedDict):
    """Litres of diesel for a round trip of each van."""

    litres: float
    per_van: list[float]


class DeliveryPlan(TypedDict):
    """A day of deliveries."""

    order: list[str]
    vans: int
    km: float
    minutes: float
    zones: int
    litres: float


@contribute(
    en="Read delivery stops: check the coordinates and the weight of each parcel.",
    zh="读取配送站点：检查每个站点的坐标和包裹重量。",
    specialization="logistics",
    tags=("stops", "addresses", "parcels", "站点", "地址", "包裹"),
    price=1,
    expected_s=0.02,
)
def read_stops(stops: list[dict[str, Any]]) -> Stops:
    checked = [
        Stop(name=str(s["name"]), lat=float(s["lat"]), lon=float(s["lon"]), kg=float(s.get("kg", 0)))
        for s in stops
    ]
    if len(checked) < 2:
        raise BadData("a delivery needs a depot and at least one stop")
    return {"stops": checked}


@contribute(
    en="Compute the distance matrix between all delivery stops.",
    zh="计算所有配送站点之间的距离矩阵。",
    specialization="logistics",
    tags=("distance", "kilometres", "距离", "公里"),
    examples=("how far apart are the stops?", "各站点之间有多远"),
    price=2,
    expected_s=0.05,
)
def measure_distances(stops: Stops) -> DistanceMatrix:
    places = stops["stops"]
    return {"names": [p["name"] for p in places], "km": [[_km(a, b) for b in places] for a in places]}


def _km(a: Stop, b: Stop) -> float:
    """The great-circle distance by the haversine formula."""
    lat_a, lat_b = math.radians(a["lat"]), math.radians(b["lat"])
    h = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b["lon"] - a["lon"]) / 2) ** 2
    )
    return round(2 * _EARTH_KM * math.asin(math.sqrt(h)), 3)


@contribute(
    en="Estimate the driving times between delivery stops.",
    zh="估算配送站点之间的行车时间。",
    specialization="logistics",
    tags=("driving time", "travel time", "minutes", "行车时间", "车程"),
    examples=("how long is the drive between the stops?", "站点之间开车要多久"),
    price=2,
    expected_s=0.05,
)
def estimate_driving_times(distances: DistanceMatrix, speed_kmh: float = 45.0) -> TravelTimes:
    minutes = [[round(60 * km * 1.3 / speed_kmh, 1) for km in row] for row in distances["km"]]
    return {"names": distances["names"], "minutes": minutes}


@contribute(
    en="Find the shortest delivery route: a round trip through all stops.",
    zh="求最短配送路线：经过所有站点的环线。",
    specialization="logistics",
    tags=("route", "round trip", "shortest", "tour", "路线", "最短", "环线"),
    examples=("in which order should the van visit the stops?", "按什么顺序送货最近"),
    price=6,
    expected_s=0.3,
)
def find_shortest_route(distances: DistanceMatrix) -> Route:
    """By 2-opt from many random tours (Croes, 1958)."""
    km, rng = distances["km"], random.Random(1)
    best: list[int] = []
    for _ in range(_RESTARTS):
        tour = [0, *rng.sample(range(1, len(km)), len(km) - 1)]
        tour = _two_opt(tour, km)
        if not best or _length(tour, km) < _length(best, km):
            best = tour
    return {"order": [distances["names"][i] for i in best], "km": round(_length(best, km), 2)}


def _length(tour: list[int], km: list[list[float]]) -> float:
    return sum(km[a][b] for a, b in zip(tour, [*tour[1:], tour[0]], strict=True))


def _two_opt(tour: list[int], km: list[list[float]]) -> list[int]:
    is_better = True
    while is_better:
        is_better = False
        for i in range(1, len(tour) - 1):
            for j in range(i + 1, len(tour)):
                a, b, c, d = tour[i - 1], tour[i], tour[j], tour[(j + 1) % len(tour)]
                if km[a][c] + km[b][d] < km[a][b] + km[c][d] - 1e-9:
                    tour = [*tour[:i], *reversed(tour[i : j + 1]), *tour[j + 1 :]]
                    is_better = True
    return tour


@contribute(
    en="Pack the parcels into as few vans as possible.",
    zh="把包裹装进尽可能少的货车。",
    specialization="logistics",
    tags=("pack", "load", "vans", "capacity", "装车", "货车", "装箱"),
    examples=("how many vans do we need?", "需要几辆货车"),
    price=4,
    expected_s=0.1,
)
def pack_parcels(stops: Stops, capacity_kg: float = 120.0) -> Packing:
    """By best fit, the heaviest parcel first."""
    vans: list[list[str]] = []
    room: list[float] = []
    for stop in sorted(stops["stops"], key=lambda s: -s["kg"]):
        if not stop["kg"]:
            continue
        if stop["kg"] > capacity_kg:
            raise BadData(f"{stop['name']} has {stop['kg']:g} kg, and a van takes {capacity_kg:g}")
        fitting = [i for i, left in enumerate(room) if left >= stop["kg"]]
        van = min(fitting, key=lambda i: room[i]) if fitting else len(vans)
        if van == len(vans):
            vans.append([])
            room.append(capacity_kg)
        vans[van].append(stop["name"])
        room[van] -= stop["kg"]
    return {"vans": vans, "load_kg": [round(capacity_kg - left, 3) for left in room]}


@contribute(
    en="Group delivery stops into zones that lie together.",
    zh="把配送站点划分为相邻的片区。",
    specialization="logistics",
    tags=("zones", "districts", "group stops", "片区", "分区", "划分"),
    examples=("divide the stops into delivery districts", "把站点分成几个区域"),
    price=3,
    expected_s=0.15,
)
def group_into_zones(stops: Stops, zones: int = 3) -> Zones:
    """By k-means from many starts (Lloyd, 1957)."""
    places, rng = stops["stops"], random.Random(2)
    count = min(zones, len(places))
    best: tuple[float, list[int]] = (math.inf, [])
    for _ in range(400):
        centres = [(p["lat"], p["lon"]) for p in rng.sample(places, count)]
        member: list[int] = []
        for _ in range(20):
            member = [
                min(range(count), key=lambda c: math.dist(centres[c], (p["lat"], p["lon"]))) for p in places
            ]
            for c in range(count):
                inside = [p for p, m in zip(places, member, strict=True) if m == c]
                if inside:
                    centres[c] = (
                        sum(p["lat"] for p in inside) / len(inside),
                        sum(p["lon"] for p in inside) / len(inside),
                    )
        spread = sum(math.dist(centres[m], (p["lat"], p["lon"])) for p, m in zip(places, member, strict=True))
        best = min(best, (spread, member))
    groups = [[p["name"] for p, m in zip(places, best[1], strict=True) if m == c] for c in range(count)]
    return {"zones": [g for g in groups if g], "spread_km": round(best[0] * 111.2, 2)}


@contribute(
    en="Estimate the fuel that a delivery route takes with loaded vans.",
    zh="估算满载货车跑完配送路线的油耗。",
    specialization="logistics",
    tags=("fuel", "diesel", "consumption", "油耗", "柴油", "燃料"),
    examples=("how much diesel will the vans burn?", "货车要用多少油"),
    price=2,
    expected_s=0.05,
)
def estimate_fuel(route: Route, packing: Packing) -> FuelUse:
    share = route["km"] / max(1, len(packing["vans"])) * 1.25
    per_van = [round(share * (8 + load / 60) / 100, 2) for load in packing["load_kg"]]
    return {"litres": round(sum(per_van), 2), "per_van": per_van}


@contribute(
    en="Plan the deliveries of a day: route, vans, driving times, zones and fuel together.",
    zh="制定一天的配送计划：路线、货车、行车时间、片区和油耗合在一起。",
    specialization="logistics",
    tags=("delivery plan", "deliveries", "配送计划", "送货计划", "配送方案"),
    examples=("plan our deliveries for tomorrow", "安排明天的送货"),
    price=5,
    expected_s=0.05,
)
def plan_deliveries(
    route: Route, packing: Packing, times: TravelTimes, zones: Zones, fuel: FuelUse
) -> DeliveryPlan:
    at = {name: i for i, name in enumerate(times["names"])}
    legs = zip(route["order"], [*route["order"][1:], route["order"][0]], strict=True)
    return {
        "order": route["order"],
        "vans": len(packing["vans"]),
        "km": route["km"],
        "minutes": round(sum(times["minutes"][at[a]][at[b]] for a, b in legs), 1),
        "zones": len(zones["zones"]),
        "litres": fuel["litres"],
    }

"""Shapes in the plane: hulls, circles, trees and triangles over points."""

import math
import random
from itertools import combinations, pairwise
from typing import TypedDict

from easynet import contribute
from easynet.core.errors import BadData

Point = tuple[float, float]


class PointSet(TypedDict):
    """Points in the plane, in metres."""

    points: list[list[float]]


class Hull(TypedDict):
    """The corners of the smallest convex shape around points, counterclockwise."""

    corners: list[list[float]]


class HullMeasures(TypedDict):
    """The size of a hull."""

    area: float
    perimeter: float


class ClosestPair(TypedDict):
    """The two points that are nearest to each other."""

    a: list[float]
    b: list[float]
    distance: float


class EnclosingCircle(TypedDict):
    """The smallest circle around points."""

    centre: list[float]
    radius: float


class SpanningTree(TypedDict):
    """The shortest net of lines that joins all points."""

    edges: list[list[int]]
    length: float


class Triangulation(TypedDict):
    """Triangles between points in whose circles no other point lies."""

    triangles: list[list[int]]
    smallest_angle: float


class PointClusters(TypedDict):
    """Points that lie near each other."""

    sizes: list[int]
    lonely: int


class SiteSurvey(TypedDict):
    """All about a site."""

    area: float
    perimeter: float
    radius: float
    cable: float
    closest: float
    triangles: int
    groups: int


@contribute(
    en="Read points in the plane, as pairs of metres.",
    zh="读取平面上的点，以米为单位的坐标对。",
    specialization="geometry",
    tags=("points", "coordinates", "survey", "点", "坐标", "测点"),
    price=1,
    expected_s=0.02,
)
def read_points(points: list[list[float]]) -> PointSet:
    found = [[float(x), float(y)] for x, y in points]
    if len({(x, y) for x, y in found}) < 3:
        raise BadData("a shape needs three different points or more")
    return {"points": found}


@contribute(
    en="Find the convex hull of points.",
    zh="求点集的凸包。",
    specialization="geometry",
    tags=("convex hull", "outline", "凸包", "轮廓"),
    examples=("what is the outline around these points?", "这些点的外轮廓是什么"),
    price=2,
    expected_s=0.05,
)
def convex_hull(point_set: PointSet) -> Hull:
    """By monotone chains (Andrew, 1979)."""
    points = sorted({(x, y) for x, y in point_set["points"]})

    def half(row: list[Point]) -> list[Point]:
        chain: list[Point] = []
        for p in row:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return {"corners": [list(p) for p in half(points) + half(points[::-1])]}


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@contribute(
    en="Measure the area and the perimeter of a convex hull.",
    zh="测量凸包的面积和周长。",
    specialization="geometry",
    tags=("area", "perimeter", "面积", "周长"),
    examples=("how large is the area of the site?", "这块场地面积多大"),
    price=1,
    expected_s=0.03,
)
def measure_hull(hull: Hull) -> HullMeasures:
    ring = [*hull["corners"], hull["corners"][0]]
    pairs = [*pairwise(ring)]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2
    return {"area": round(abs(area), 4), "perimeter": round(sum(math.dist(a, b) for a, b in pairs), 4)}


@contribute(
    en="Find the closest pair of points.",
    zh="求距离最近的两个点。",
    specialization="geometry",
    tags=("closest pair", "nearest", "最近点对", "最近的两个点"),
    examples=("which two points are nearest to each other?", "哪两个点挨得最近"),
    price=2,
    expected_s=0.1,
)
def closest_pair(point_set: PointSet) -> ClosestPair:
    a, b = min(combinations(point_set["points"], 2), key=lambda pair: math.dist(*pair))
    return {"a": a, "b": b, "distance": round(math.dist(a, b), 5)}


@contribute(
    en="Find the smallest circle that encloses points.",
    zh="求包围点集的最小圆。",
    specialization="geometry",
    tags=("enclosing circle", "smallest circle", "radius", "最小圆", "外接圆", "包围圆"),
    examples=("how far must a mast reach to cover all points?", "一个圆要多大才能盖住所有点"),
    price=3,
    expected_s=0.1,
)
def enclosing_circle(point_set: PointSet) -> EnclosingCircle:
    """By adding points in random order (Welzl, 1991)."""
    points = [(x, y) for x, y in point_set["points"]]
    random.Random(4).shuffle(points)
    circle = (points[0], 0.0)
    for i, p in enumerate(points):
        if not _inside(p, circle):
            circle = (p, 0.0)
            for j, q in enumerate(points[:i]):
                if not _inside(q, circle):
                    circle = _through_two(p, q)
                    for r in points[:j]:
                        if not _inside(r, circle):
                            circle = _through_three(p, q, r)
    (x, y), radius = circle
    return {"centre": [round(x, 5), round(y, 5)], "radius": round(radius, 5)}


Circle = tuple[Point, float]


def _inside(p: Point, circle: Circle) -> bool:
    return math.dist(p, circle[0]) <= circle[1] + 1e-9


def _through_two(p: Point, q: Point) -> Circle:
    return ((p[0] + q[0]) / 2, (p[1] + q[1]) / 2), math.dist(p, q) / 2


def _through_three(p: Point, q: Point, r: Point) -> Circle:
    d = 2 * _turn(p, q, r)
    if abs(d) < 1e-12:
        return max((_through_two(a, b) for a, b in combinations((p, q, r), 2)), key=lambda c: c[1])
    bx, by, cx, cy = q[0] - p[0], q[1] - p[1], r[0] - p[0], r[1] - p[1]
    x = (cy * (bx**2 + by**2) - by * (cx**2 + cy**2)) / d
    y = (bx * (cx**2 + cy**2) - cx * (bx**2 + by**2)) / d
    return (p[0] + x, p[1] + y), math.hypot(x, y)


@contribute(
    en="Join all points by the shortest net of cables: a spanning tree.",
    zh="用最短的线缆把所有点连起来：最小生成树。",
    specialization="geometry",
    tags=("spanning tree", "cable", "network of lines", "生成树", "线缆", "布线"),
    examples=("how much cable joins all the points?", "把所有点连起来要多长的线"),
    price=3,
    expected_s=0.1,
)
def shortest_cables(point_set: PointSet) -> SpanningTree:
    """By growing one tree (Prim, 1957)."""
    points = point_set["points"]
    nearest = {i: (math.dist(points[0], points[i]), 0) for i in range(1, len(points))}
    edges: list[list[int]] = []
    length = 0.0
    while nearest:
        new = min(nearest, key=lambda i: nearest[i])
        distance, to = nearest.pop(new)
        edges.append([to, new])
        length += distance
        for i in nearest:
            nearest[i] = min(nearest[i], (math.dist(points[new], points[i]), new))
    return {"edges": edges, "length": round(length, 4)}


@contribute(
    en="Triangulate points: divide the site into well-shaped triangles.",
    zh="对点集做三角剖分：把场地划分成形状良好的三角形。",
    specialization="geometry",
    tags=("triangulate", "triangles", "mesh", "三角剖分", "三角形", "网格"),
    examples=("make a mesh of triangles from the points", "用这些点生成三角网"),
    price=5,
    expected_s=0.4,
)
def triangulate(point_set: PointSet) -> Triangulation:
    """Every triangle whose circle holds no other point (Delaunay, 1934), by trying all."""
    points = [(x, y) for x, y in point_set["points"]]
    found: list[list[int]] = []
    smallest = math.pi
    for i, j, k in combinations(range(len(points)), 3):
        corners = (points[i], points[j], points[k])
        if abs(_turn(*corners)) < 1e-9:
            continue
        centre, radius = _through_three(*corners)
        if all(math.dist(p, centre) > radius - 1e-9 for n, p in enumerate(points) if n not in (i, j, k)):
            found.append([i, j, k])
            smallest = min(smallest, *_angles(*corners))
    return {"triangles": found, "smallest_angle": round(math.degrees(smallest), 3)}


def _angles(a: Point, b: Point, c: Point) -> list[float]:
    sides = math.dist(b, c), math.dist(a, c), math.dist(a, b)
    found = []
    for n in range(3):
        x, y, z = sides[n], sides[n - 1], sides[n - 2]
        found.append(math.acos(max(-1.0, min(1.0, (y * y + z * z - x * x) / (2 * y * z)))))
    return found


@contribute(
    en="Find groups of points that lie near each other.",
    zh="找出彼此靠近的点群。",
    specialization="geometry",
    tags=("clusters", "groups of points", "density", "点群", "聚类", "密集"),
    examples=("do the points lie in groups?", "这些点是否成群"),
    price=3,
    expected_s=0.15,
)
def group_points(point_set: PointSet, reach_m: float = 12.0) -> PointClusters:
    """Connected points within reach, of three or more (DBSCAN; Ester et al., 1996)."""
    left = {*range(len(points := point_set["points"]))}
    sizes: list[int] = []
    while left:
        group, border = set[int](), [left.pop()]
        while border:
            at = border.pop()
            group.add(at)
            near = {i for i in left if math.dist(points[at], points[i]) <= reach_m}
            left -= near
            border += near
        sizes.append(len(group))
    large = sorted((s for s in sizes if s >= 3), reverse=True)
    return {"sizes": large, "lonely": sum(s for s in sizes if s < 3)}


@contribute(
    en="Survey a site from its points: area, reach, cables, triangles and groups together.",
    zh="根据测点勘测场地：面积、覆盖半径、线缆、三角网和点群合在一起。",
    specialization="geometry",
    tags=("site survey", "survey a site", "场地勘测", "勘测", "测绘"),
    examples=("survey our building site", "勘测我们的场地"),
    price=4,
    expected_s=0.05,
)
def survey_site(
    measures: HullMeasures,
    circle: EnclosingCircle,
    tree: SpanningTree,
    pair: ClosestPair,
    mesh: Triangulation,
    clusters: PointClusters,
) -> SiteSurvey:
    return {
        "area": measures["area"],
        "perimeter": measures["perimeter"],
        "radius": circle["radius"],
        "cable": tree["length"],
        "closest": pair["distance"],
        "triangles": len(mesh["triangles"]),
        "groups": len(clusters["sizes"]),
    }

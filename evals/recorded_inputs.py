"""Small inputs for the runs that are recorded, made by numbers that are always the same."""

import math
import random
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

Inputs = Mapping[str, JsonValue]


def stops(seed: int, count: int = 11) -> Inputs:
    rng = random.Random(seed)
    rows: list[JsonValue] = [
        {
            "name": "depot" if n == 0 else f"stop-{n}",
            "lat": round(32.0 + rng.uniform(-0.15, 0.15), 4),
            "lon": round(118.8 + rng.uniform(-0.2, 0.2), 4),
            "kg": 0 if n == 0 else rng.randint(4, 60),
        }
        for n in range(count)
    ]
    return {"stops": rows}


ENGLISH = """
The harbour town spent ten years on its new market hall, and the hall is a success. Farmers from the
valley sell fruit, bread and cheese there every morning. The old hall lost money in most winters,
because its roof leaked and visitors stayed away. The new roof collects rain for the gardens around the
market. Shops near the market report better sales since the hall opened. Some neighbours complain that
the delivery vans are loud before sunrise. The council answers that electric vans will replace them
within two years. A survey of visitors found that most of them come for the bread, and that they stay
for the music. The market hall now pays for itself.
""".replace("\n", " ").strip()
CHINESE = """
港口小城用了十年建成新的市场大厅，大厅很受欢迎。山谷里的农户每天早上在这里卖水果、面包和奶酪。旧大厅屋顶漏水，游客不来，
冬天总是亏损。新屋顶收集雨水，浇灌市场周围的花园。市场附近的商店说，大厅开放以后销售更好。有的邻居抱怨送货车在日出前太吵。
市政府回答，两年内电动货车会取代它们。对游客的调查发现，多数人为面包而来，为音乐而留。如今市场大厅收支平衡。
""".replace("\n", "")
GERMAN = """
Die alte Brücke über den Fluss ist wieder offen. Der Umbau hat drei Jahre gedauert und nicht mehr
gekostet als geplant. Das Dorf feiert mit einem Fest. Die Kinder gehen nun zu Fuß zur Schule, und der
Bus fährt nicht mehr den langen Weg um den Berg. Ein Fischer sagt, dass der Fluss von der neuen Brücke
aus schöner ist.
""".replace("\n", " ").strip()


def prices(seed: int, days: int = 60) -> Inputs:
    rng = random.Random(seed)
    market = [rng.gauss(0.0005, 0.008) for _ in range(days)]
    rows: dict[str, JsonValue] = {}
    for n, name in enumerate(("ALFA", "BRAVO", "CARGO", "DELTA")):
        price, row = 40.0 + 15 * n, list[JsonValue]()
        for move in market:
            price *= 1 + (0.4 + 0.3 * n) * move + rng.gauss(0, 0.006)
            row.append(round(price, 2))
        rows[name] = row
    return {"prices": rows}


def loan(amount: float, rate: float, years: int) -> Inputs:
    return {"loan_amount": amount, "yearly_rate": rate, "years": years}


def money() -> Inputs:
    return {
        "amounts": {"USD": 1200.0, "CNY": 8600.0, "EUR": 310.0, "JPY": 54000.0},
        "rates": {"EUR": 1.0, "USD": 0.92, "CNY": 0.128, "JPY": 0.0062},
    }


def temperatures(seed: int, days: int = 90) -> Inputs:
    rng = random.Random(seed)
    return {
        "temperatures": [
            round(6 - 8 * math.sin(math.pi * d / days) + rng.gauss(0, 3.5), 1) for d in range(days)
        ]
    }


def meter(seed: int, days: int = 5) -> Inputs:
    rng = random.Random(seed)
    shape = [
        0.2 + 0.5 * math.exp(-((h - 8) ** 2) / 6) + 0.9 * math.exp(-((h - 19) ** 2) / 8) for h in range(24)
    ]
    return {"readings": [round(k * rng.uniform(0.7, 1.3), 3) for _ in range(days) for k in shape]}


TARIFFS: Inputs = {
    "tariffs": [
        {"name": "flat", "base": 9.5, "day": 0.31},
        {"name": "night", "base": 12.0, "day": 0.34, "night": 0.21},
        {"name": "heavy user", "base": 19.0, "day": 0.27},
    ]
}


def lessons(seed: int, forms: int = 4) -> Inputs:
    rng = random.Random(seed)
    subjects = {"maths": "Abel", "physics": "Bohr", "language": "Cai", "music": "Dufay", "sport": "Ek"}
    rows: list[JsonValue] = [
        {"name": name, "teacher": teacher, "form": f"{form + 5}a"}
        for form in range(forms)
        for name, teacher in subjects.items()
        for _ in range(rng.randint(1, 2))
    ]
    return {"lessons": rows}


def tasks(seed: int, count: int = 12) -> Inputs:
    rng = random.Random(seed)
    rows: list[JsonValue] = []
    for n in range(count):
        likely = rng.randint(2, 9)
        after: list[JsonValue] = [f"task-{a}" for a in rng.sample(range(n), min(n, rng.randint(1, 2)))]
        days: list[JsonValue] = [max(1, likely - 2), likely, likely + rng.randint(1, 6)]
        rows.append({"name": f"task-{n}", "days": days, "after": after})
    return {"tasks": rows}


def points(seed: int, count: int = 36) -> Inputs:
    rng = random.Random(seed)
    centres = [(rng.uniform(0, 100), rng.uniform(0, 100)) for _ in range(4)]
    rows: list[JsonValue] = []
    for n in range(count):
        x, y = centres[n % 4]
        rows.append([round(x + rng.gauss(0, 9), 2), round(y + rng.gauss(0, 9), 2)])
    return {"points": rows}


def sales_table(path: Path) -> None:
    """Weekly sales of two regions and three products; only tea in the north grows."""
    rng = random.Random(7)
    lines = ["date,region,product,amount"]
    for week in range(80):
        month, day = divmod(week * 7, 30)
        date = f"{2024 + month // 12}-{month % 12 + 1:02d}-{min(28, day + 1):02d}"
        for region, base in (("north", 100.0), ("south", 80.0)):
            for product, share in (("tea", 1.0), ("coffee", 1.4), ("cocoa", 0.5)):
                growth = 1.4 ** (week / 52) if (region, product) == ("north", "tea") else 1.0
                season = 1 + 0.15 * math.sin(2 * math.pi * week / 52)
                amount = base * share * season * growth * rng.uniform(0.95, 1.05)
                lines.append(f"{date},{region},{product},{amount:.2f}")
    path.write_text("\n".join(lines), encoding="utf-8")


def patients_table(path: Path) -> None:
    """Measurements of patients, one in five of whom is ill."""
    rng = random.Random(8)
    lines = ["age,pulse,pressure,glucose,diagnosis"]
    for n in range(220):
        is_ill = n % 5 == 0
        lines.append(
            f"{rng.randint(30, 80)},{rng.gauss(92 if is_ill else 70, 8):.0f},"
            f"{rng.gauss(150 if is_ill else 122, 11):.0f},{rng.gauss(8.4 if is_ill else 5.4, 0.8):.1f},"
            f"{'ill' if is_ill else 'healthy'}"
        )
    path.write_text("\n".join(lines), encoding="utf-8")


def orders_table(path: Path) -> None:
    """Orders with a few that are far too large, twice the same, or without an amount."""
    rng = random.Random(9)
    lines = ["customer,city,items,amount,delivery_days"]
    for n in range(160):
        items = rng.randint(1, 9)
        amount = items * rng.uniform(8, 14) * (25 if n % 53 == 7 else 1)
        city = ("Nanjing", "Lyon", "Graz")[n % 3]
        lines.append(f"c{n % 40},{city},{items},{'' if n % 41 == 3 else f'{amount:.2f}'},{2 + items // 3}")
    lines += lines[5:9]
    path.write_text("\n".join(lines), encoding="utf-8")


TABLES = {"sales.csv": sales_table, "patients.csv": patients_table, "orders.csv": orders_table}
"""What writes each table that requests name."""

"""The names that columns of sales data usually have, in English, German and Chinese; the likeliest first."""

from typing import Literal

SalesRole = Literal["date", "region", "product", "amount"]

NAMES: dict[SalesRole, tuple[str, ...]] = {
    "date": (
        "date", "order date", "sale date", "sales date", "invoice date", "transaction date", "purchase date",
        "week", "month", "day", "period", "quarter", "timestamp", "datetime", "time", "ds", "created at",
        "ordered at", "datum", "bestelldatum", "rechnungsdatum", "verkaufsdatum", "buchungsdatum", "tag",
        "woche", "monat", "quartal", "日期", "订单日期", "销售日期", "下单时间", "下单日期", "交易日期",
        "成交日期", "月份", "时间", "年月", "周",
    ),
    "region": (
        "region", "sales region", "area", "territory", "market", "state", "province", "country", "city",
        "district", "zone", "location", "store", "branch", "shop", "outlet", "channel", "customer", "client",
        "gebiet", "bundesland", "land", "stadt", "standort", "filiale", "niederlassung", "laden", "markt",
        "vertriebsweg", "kanal", "kunde", "地区", "区域", "大区", "省份", "省", "城市", "市场", "国家",
        "门店", "店铺", "分店", "渠道", "客户",
    ),
    "product": (
        "product", "product name", "item", "item name", "sku", "article", "category", "product category",
        "sub category", "department", "dept", "product line", "product group", "model", "brand", "service",
        "produkt", "produktname", "artikel", "artikelname", "artikelnummer", "warengruppe", "produktgruppe",
        "kategorie", "marke", "产品", "商品", "产品名称", "商品名称", "品名", "品类", "类别", "型号",
        "品牌", "货号",
    ),
    "amount": (
        "amount", "sales", "revenue", "sales amount", "total sales", "weekly sales", "turnover", "net sales",
        "gross sales", "sales value", "total amount", "net amount", "order value", "order total", "total",
        "total price", "line total", "income", "value", "gmv", "takings", "umsatz", "nettoumsatz",
        "bruttoumsatz", "gesamtumsatz", "verkaufswert", "betrag", "gesamtbetrag", "summe", "gesamtpreis",
        "erlös", "erloes", "einnahmen", "销售额", "金额", "营业额", "营收", "收入", "成交额", "销售金额",
        "总价", "总额", "实收", "销售", "流水",
    ),
}  # fmt: skip
QUANTITY = (
    "quantity", "qty", "units", "units sold", "pieces", "menge", "anzahl", "stück", "stueck", "stückzahl",
    "数量", "件数", "销量",
)  # fmt: skip
UNIT_PRICE = (
    "unit price", "price", "price each", "einzelpreis", "stückpreis", "stueckpreis", "preis", "单价", "价格",
    "售价",
)  # fmt: skip
OTHER_MONEY = (
    "cost", "costs", "profit", "margin", "discount", "tax", "vat", "shipping", "freight", "fee", "budget",
    "target", "kosten", "gewinn", "marge", "rabatt", "steuer", "mwst", "versand", "成本", "利润", "毛利",
    "折扣", "税", "运费", "手续费", "预算",
)  # fmt: skip
"""Money that is not what was sold for."""

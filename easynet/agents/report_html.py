"""HTML that cannot be broken by what is put into it: text is escaped unless it was made here."""

from html import escape

from easynet.agents.wording import columns, is_wide, printable, shorten

_EMPTY_TAGS = frozenset({"meta", "img", "line", "path", "rect", "circle", "polygon"})


class Html(str):
    """Markup that was made by `el`, `join` or `raw`."""

    __slots__ = ()


Child = str | Html | None


def text(value: object) -> Html:
    """Any text, escaped, without characters that mislead."""
    return Html(escape(printable(value)))


def raw(markup: str) -> Html:
    """Markup written in this package; never anything that came from outside."""
    return Html(markup)


def join(*children: Child) -> Html:
    """The children one after another; text among them is escaped."""
    return Html("".join(c if isinstance(c, Html) else text(c) for c in children if c is not None))


def el(tag: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """One element.

    A trailing underscore of an attribute's name is dropped and other underscores become hyphens
    (`class_`, `aria_label`); an attribute that is `None` is left out.
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY_TAGS:
        return Html(f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{join(*children)}</{tag}>")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"


def wrap(words: str, width: int, lines: int) -> list[str]:
    """`words` in at most `lines` lines of about equal length, none above `width` columns.

    A Han character takes two columns. Where something is left out, the last line ends in "…".
    """
    rows = _rows(words, width)
    if len(rows) > lines:
        return [*rows[: lines - 1], shorten(" ".join(rows[lines - 1 :]), width)]
    while len(rows) > 1 and len(narrower := _rows(words, width - 1)) == len(rows):
        rows, width = narrower, width - 1
    return rows


def _rows(words: str, width: int) -> list[str]:
    rows = [""]
    for piece in _pieces(printable(words)):
        if columns(rows[-1] + piece.rstrip()) <= width:
            rows[-1] += piece
        elif columns(piece.rstrip()) <= width:
            rows.append(piece.lstrip())
        else:
            rows += _cut(piece, width)
    return [row.strip() for row in rows if row.strip()] or [""]


def _pieces(words: str) -> list[str]:
    """Where a line may break: after spaces and hyphens, and around each Han character."""
    pieces = [""]
    for character in " ".join(words.split()):
        if is_wide(character) and character not in "，。；：！？、）”":
            pieces.append(character)
        else:
            pieces[-1] += character
        if character in " -_/" or is_wide(character):
            pieces.append("")
    return [p for p in pieces if p]


def _cut(word: str, width: int) -> list[str]:
    rows = [""]
    for character in word:
        if columns(rows[-1] + character) > width:
            rows.append("")
        rows[-1] += character
    return rows

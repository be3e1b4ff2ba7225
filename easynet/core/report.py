"""What a report says: the shapes that reporting functions give and the report page draws.

They are plain dictionaries, because they cross the network; whoever reads one checks it against these
types first.
"""

from typing_extensions import TypedDict


class DataSource(TypedDict):
    """Which data was used."""

    name: str
    """The file's name, or the name of the shipped set."""
    is_demo: bool
    """Shipped sample data, not the user's."""
    rows: int
    columns: int
    note: str
    """Where it comes from and what it is not, as a sentence; may be empty."""


class Figure(TypedDict):
    """A plot."""

    title: str
    alt: str
    """What it shows, for those who cannot see it."""
    png: bytes


class TableView(TypedDict):
    """A small table, ready to be read."""

    title: str
    columns: list[str]
    rows: list[list[str | int | float]]


class Section(TypedDict):
    """One part of a report."""

    title: str
    order: int
    """Smaller comes first."""
    headline: list[str]
    """The findings that belong into the summary, most important first."""
    text: list[str]
    """Paragraphs."""
    tables: list[TableView]
    figures: list[Figure]


class Report(TypedDict):
    """A whole report."""

    title: str
    source: DataSource
    headline: list[str]
    """The result in a few lines; the first names the data."""
    sections: list[Section]

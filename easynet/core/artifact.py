"""Large values and files, named by what they contain."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

_LONGEST_NAME_BYTES = 200


class Artifact(BaseModel):
    """A reference to bytes that are kept in an artifact store, not in the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the bytes, in hexadecimal."""
    size_bytes: int = Field(ge=0)
    filename: str = ""
    """The file's own name, without folders; empty where the bytes are an encoded value."""

    @field_validator("filename")
    @classmethod
    def _is_one_harmless_component(cls, filename: str) -> str:
        if filename != own_name(filename):
            raise ValueError(f"{filename!r} is not a plain file name")
        return filename


def own_name(filename: str) -> str:
    """The last part of a file's name, whatever system it comes from; "" where nothing is left."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if c.isprintable())
    while len(name.encode("utf-8", "replace")) > _LONGEST_NAME_BYTES:
        name = name[1:]  # the end is what tells a file's kind
    return "" if name in (".", "..") else name

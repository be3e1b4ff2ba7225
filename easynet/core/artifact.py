"""Large values and files, named by what they contain."""

from pydantic import BaseModel, ConfigDict, Field


class Artifact(BaseModel):
    """A reference to bytes that are kept in an artifact store, not in the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the bytes, in hexadecimal."""
    size_bytes: int = Field(ge=0)
    filename: str = ""
    """The file's own name, without folders; empty where the bytes are an encoded value."""

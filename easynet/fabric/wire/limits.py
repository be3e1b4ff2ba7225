"""How large values may be, and what becomes of those that are larger."""

from typing import Final

MAX_DEPTH: Final = 64
MAX_INLINE_BYTES: Final = 64 * 1024
"""What is larger becomes an artifact: a text, bytes, an array, a table, a long list."""
MAX_CALL_BYTES: Final = 1024 * 1024
"""What is larger becomes an artifact between two sides that only want the value, not its parts."""
MAX_PARTS: Final = 1024
"""A list or mapping of up to so many parts is kept, and its parts are looked at one by one ..."""
MAX_RECORD_BYTES: Final = 1024 * 1024
"""... unless all of them, with the large ones replaced, still take more than this."""
MAX_BYTES: Final = 6 * 1024 * 1024
"""The largest value that travels in one message, where there is no store to put it into."""

"""Streams in JetStream, in which a gateway keeps long work on disk."""

import contextlib
from collections.abc import Generator
from typing import Final

import nats.errors
from nats.js import JetStreamContext, api
from nats.js.errors import BadRequestError

from easynet.core.errors import GatewayError

TROUBLE: Final = (OSError, TimeoutError, nats.errors.Error)
"""What goes wrong with them."""
DUPLICATES_S: Final = 120.0
"""How long a message is known, so that it can be sent again where nobody knows whether it arrived."""
_IN_USE_DIFFERENTLY: Final = 10058


async def lay(js: JetStreamContext, config: api.StreamConfig) -> None:
    """Have a stream be as it should be, whether it was there or not; raises what is in `TROUBLE`."""
    try:
        await js.add_stream(config)
    except BadRequestError as error:
        if error.err_code != _IN_USE_DIFFERENTLY:
            raise
        await js.update_stream(config)


@contextlib.contextmanager
def translated() -> Generator[None]:
    """JetStream's failures in this project's words."""
    try:
        yield
    except TROUBLE as error:
        raise GatewayError(
            f"the gateway's store of jobs does not work: {str(error) or type(error).__name__}",
            hint="Is its disk full? The gateway goes on with its jobs once the store works again.",
        ) from error

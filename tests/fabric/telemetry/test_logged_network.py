"""What a gateway, a node and a client log of a whole story, at the finest level: no secret and no value."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from easynet.fabric.gateway.owner import Owner
from tests.fabric.telemetry.logged_process import ARGUMENT, RESULT, WORDS
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

SECRETS = re.compile(
    r"""(?x)
    S[ACNOUX][A-Z2-7]{56}                      # a seed
    | eyJ[A-Za-z0-9_-]{20,}(\.[A-Za-z0-9_-]+)+  # a JSON Web Token
    """
)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", re.DOTALL)


@contextmanager
def process(log: Path, *command: str) -> Iterator["subprocess.Popen[str]"]:
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fabric.telemetry.logged_process", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        yield process
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()


async def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return (await asyncio.to_thread(process.stdout.readline)).strip()


def secrets_in(folder: Path) -> set[str]:
    """All seeds, JSON Web Tokens and private keys that the devices keep under a folder."""
    found: set[str] = set()
    for file in folder.rglob("*"):
        if file.is_file():
            text = file.read_bytes().decode("utf-8", "replace")
            found |= {match[0] for match in SECRETS.finditer(text)}
            found |= {line for key in PRIVATE_KEY.findall(text) for line in key.split()}
    return found


async def test_no_secret_and_no_value_is_in_any_line(tmp_path: Path) -> None:
    data = {role: tmp_path / role for role in ("gateway", "node", "client")}
    logs = {role: tmp_path / f"{role}.log" for role in data}
    with ExitStack() as stack:
        gateway = stack.enter_context(process(logs["gateway"], "gateway", str(data["gateway"])))
        async with Owner(await said(gateway), data_dir=data["gateway"]) as owner:
            tokens = [await owner.invite("node", "gpu"), await owner.invite("client", "ana")]
            with ExitStack() as devices:
                node = devices.enter_context(process(logs["node"], "node", tokens[0], str(data["node"])))
                assert await said(node) == "serving"
                client = devices.enter_context(
                    process(logs["client"], "client", tokens[1], str(data["client"]))
                )
                tokens.append(await said(client))
                kept = secrets_in(tmp_path)
                await owner.revoke("client", "ana")
                assert await said(client) == "shut out"
                await owner.revoke("node", "gpu")
    written = {role: log.read_text() for role, log in logs.items()}
    records = [json.loads(line) for text in written.values() for line in text.splitlines()]
    told = [record["message"] for record in records if record["logger"].startswith("easynet.")]
    for words in ("client ana is invited", "client ana joined", "client ana is shut out", "node gpu offers"):
        assert any(message.startswith(words) for message in told), words
    assert {record["level"] for record in records} >= {"debug", "info"}
    assert all(text for text in written.values())
    # Seeds and tokens of two devices, a grant's holder, a gateway; keys of its certificates.
    assert len(kept) > 10
    assert all(token.startswith("en") for token in tokens)
    for secret in (*kept, *tokens, ARGUMENT, RESULT, WORDS):
        for role, text in written.items():
            assert secret not in text, f"in the log of the {role}"
            # Nor the better part of one, wherever it was cut.
            assert len(secret) < 40 or secret[8:32] not in text, f"in the log of the {role}"

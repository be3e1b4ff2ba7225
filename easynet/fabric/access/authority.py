"""Who decides on a network: the keys of its operator and its accounts, and the rights that they give.

A call's first reply goes the way of NATS services (`allow_responses`), so that an absent node is reported
at once; all further ones go to `re.`, which only the client concerned may read. Replies of unlimited number
would cost the server memory for every call ever made.
"""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import nkeys

from easynet.core.errors import DataDirectoryUnusable
from easynet.fabric.access import claims
from easynet.fabric.access.accounts import ACCOUNTS, Account, exports_of, imports_of, limits_of
from easynet.fabric.access.claims import UNLIMITED
from easynet.fabric.access.key import Key

LOCAL_CLIENT: Final = "local"
"""The client's id of the processes of the gateway's own user on the gateway's own machine."""
_EVERY: Final = "*"
_FIRST_REPLY_NS: Final = 300 * 10**9
"""A first update comes within seconds, even from a call that waits."""


class Authority:
    """The keys that decide who may do what on one network."""

    def __init__(self, operator: Key, key_by_account: Mapping[Account, Key]) -> None:
        self._operator = operator
        self._key_by_account = key_by_account

    @classmethod
    def new(cls) -> Self:
        """Keys that nobody has used before."""
        accounts: dict[Account, Key] = {name: Key.generate(nkeys.PREFIX_BYTE_ACCOUNT) for name in ACCOUNTS}
        return cls(Key.generate(nkeys.PREFIX_BYTE_OPERATOR), accounts)

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """The keys in the folder, made at the first time; raises DataDirectoryUnusable."""
        path = folder / "authority.json"
        try:
            if path.exists():
                return cls.from_seeds(json.loads(path.read_text("utf-8")))
            made = cls.new()
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(made.seeds(), file)
            return made
        except (OSError, ValueError, KeyError, TypeError, nkeys.NkeysError) as error:
            raise DataDirectoryUnusable.at(path, error) from error

    @classmethod
    def from_seeds(cls, seeds: Mapping[str, str]) -> Self:
        """The keys that another gateway of the same network has."""
        accounts: dict[Account, Key] = {name: Key.from_seed(seeds[name]) for name in ACCOUNTS}
        return cls(Key.from_seed(seeds["operator"]), accounts)

    def seeds(self) -> dict[str, str]:
        """What makes the keys again. Whoever has it decides on this network."""
        return {"operator": self._operator.seed, **{k: v.seed for k, v in self._key_by_account.items()}}

    @property
    def network(self) -> str:
        """Names the network to everybody."""
        return self._operator.public

    def account_key(self, account: Account) -> str:
        """The public key of an account."""
        return self._key_by_account[account].public

    def operator_jwt(self) -> str:
        """What the server has to know of the operator."""
        system = {"system_account": self.account_key("SYS")}
        return claims.mint(self._operator, self._operator.public, "easynet", "operator", system)

    def account_jwt(
        self, account: Account, revoked: Mapping[str, int] | None = None, *, issued_at: float = 0
    ) -> str:
        """What an account offers and uses; `revoked` gives the time by public key of who is shut out."""
        content: dict[str, Any] = {
            "limits": limits_of(account),
            "default_permissions": {"pub": {}, "sub": {}},
            "exports": exports_of(account),
            "imports": imports_of(account, self.account_key),
        }
        if revoked:
            content["revocations"] = dict(revoked)
        return claims.mint(
            self._operator, self.account_key(account), account, "account", content, issued_at=issued_at
        )

    def sign_grant(self, data: bytes) -> bytes:
        """Vouch for the rights of a client that it may hand on."""
        return self._key_by_account["CLIENTS"].sign(data)

    @property
    def grant_key(self) -> bytes:
        """Checks what `sign_grant` signed: 32 bytes of an Ed25519 key."""
        return base64.b32decode(self.account_key("CLIENTS"))[1:-2]

    def node_jwt(self, public: str, name: str) -> str:
        """The rights of a node: to be called, to answer, to speak to the gateway, all in its own name."""
        return self._user(
            "NODES",
            public,
            name,
            publish=[f"node.*.{name}", f"art.*.node.{name}.*", "re.>"],
            subscribe=[f"fn.{name}.>", f"in.{name}.>", inbox(name)],
            answers=True,
        )

    def client_jwt(
        self, public: str, name: str, functions: Sequence[str] = (), *, expires_at: float = 0
    ) -> str:
        """The rights of a client: to call functions (all where none is named), and to read its replies."""
        return self._user(
            "CLIENTS",
            public,
            name,
            publish=[
                *(_callable(name, function) for function in functions or (_EVERY,)),
                *(
                    f"fn.*.{name}.{verb}.>"
                    for verb in ("cancel", "credit", "resume", "alive", "want", "done")
                ),
                f"in.*.{name}.part.>",
                f"reg.*.{name}",
                f"job.*.{name}",
                f"art.*.client.{name}.*",
            ],
            subscribe=[f"re.{name}.>", "net.>", inbox(name)],
            expires_at=expires_at,
        )

    def local_node_jwt(self, public: str) -> str:
        """The rights of the gateway's own user, who runs nodes of any name on the gateway's machine."""
        publish = ["node.>", "art.>", "re.>"]
        return self._user(
            "NODES",
            public,
            "local",
            publish=publish,
            subscribe=["fn.>", "in.>", inbox("local")],
            answers=True,
        )

    def owner_jwt(self, public: str) -> str:
        """The rights of whoever administers the gateway from its own machine."""
        return self._user("CTL", public, "owner", publish=["adm.>"], subscribe=[inbox("owner")])

    def control_jwt(self, public: str) -> str:
        """The rights of the gateway itself."""
        return self._user("CTL", public, "gateway")

    def system_jwt(self, public: str) -> str:
        """The right to see the server's events, and to command it."""
        return self._user("SYS", public, "gateway")

    def entry_jwt(self, public: str) -> str:
        """The right of anybody to ask for more."""
        return self._user(
            "ENTRY", public, "entry", publish=["enrol.>"], subscribe=[inbox("entry")], bearer=True
        )

    def _user(
        self,
        account: Account,
        public: str,
        name: str,
        *,
        publish: Sequence[str] = (),
        subscribe: Sequence[str] = (),
        answers: bool = False,
        bearer: bool = False,
        expires_at: float = 0,
    ) -> str:
        limit = _ENTRY_LIMITS if account == "ENTRY" else _USER_LIMITS
        content: dict[str, Any] = {**limit, "pub": {}, "sub": {}}
        if publish or subscribe:
            content |= {"pub": {"allow": [*publish]}, "sub": {"allow": [*subscribe]}}
        if answers:
            content["resp"] = {"max": 1, "ttl": _FIRST_REPLY_NS}
        if bearer:
            content["bearer_token"] = True
        issuer = self._key_by_account[account]
        return claims.mint(issuer, public, name, "user", content, expires_at=expires_at)


# Only ordinary connections: otherwise a node's rights would also open a server's link.
_USER_LIMITS: Final = {
    "subs": UNLIMITED, "data": UNLIMITED, "payload": UNLIMITED, "allowed_connection_types": ["STANDARD"]
}  # fmt: skip
_ENTRY_LIMITS: Final = {**_USER_LIMITS, "subs": 2, "payload": 4096}


def inbox(name: str) -> str:
    """The subjects on which somebody gets answers to requests, and nobody else may listen."""
    return f"_INBOX.{name}.>"


def _callable(client: str, function: str) -> str:
    """The subject of calls of `function` or `node.function`."""
    node, _, name = function.rpartition(".")
    return f"fn.{node or _EVERY}.{client}.call.{name}"

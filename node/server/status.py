"""How a node stands: what its process says of itself, beside what its files hold; a difference in policy is drift."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from federation.contract.decisions import PolicyVersion
from federation.contract.errors import ConfigurationError, PolicyUnavailableError
from federation.contract.settings import host_and_port
from federation.ledger.place import LEDGER_FILE, open_store_to_read
from federation.trust.channel import Channel
from node.server.planes import governed_schema, member_mapping
from node.server.policies import MEMORY_FILE, PolicyMemory, open_policies
from node.server.settings import NodeSettings, load_settings

_SECONDS: Final = 3.0


class NodeStatus(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A node as it stands.

    `running` is the policy that its process decides by, None if none answers, and then `refusal` says why; `folder` is
    the policy that its folder holds, None if a node would not take it, and then `broken` says why not. `signed` says
    whether the node asks for two officers' signatures. `ledger_size` counts entries, and is None before the first.
    """

    member: str
    running: PolicyVersion | None
    folder: PolicyVersion | None
    member_list: int | None
    ledger_size: int | None
    signed: bool
    refusal: str = ""
    broken: str = ""

    @property
    def drifts(self) -> bool:
        """Whether the process decides by another policy than its folder holds."""
        return self.running is not None and self.running != self.folder


class _Ready(msgspec.Struct, frozen=True, rename="camel"):
    policy: PolicyVersion
    member_list: int


def node_status(settings_file: Path) -> NodeStatus:
    """Ask the process of a settings file how it is, and look at its files.

    Raises:
        ConfigurationError: the settings or the mapping cannot be used.
    """
    settings = load_settings(settings_file)
    ready, refusal = _asked(settings)
    folder, broken = _in_folder(settings)
    return NodeStatus(
        member=settings.member,
        running=ready.policy if ready else None,
        folder=folder,
        member_list=ready.member_list if ready else None,
        ledger_size=_ledger_size(settings),
        signed=settings.officers is not None,
        refusal=refusal,
        broken=broken,
    )


def _asked(settings: NodeSettings) -> tuple[_Ready | None, str]:
    connection = _connection(settings)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        content = response.read()
        if response.status != http.client.OK:
            return None, f"node is not ready: {content.decode(errors='replace')}"
        return msgspec.json.decode(content, type=_Ready), ""
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        return None, f"no node answers at `{settings.listen}`: {error}"
    finally:
        connection.close()


def _connection(settings: NodeSettings) -> http.client.HTTPConnection:
    """Return a connection to the node's process; where it asks for certificates, by the node's own.

    Raises:
        ConfigurationError: the channel's files cannot be used.
    """
    host, port = host_and_port(settings.listen)
    if settings.channel is None:
        return http.client.HTTPConnection(host, port, timeout=_SECONDS)
    context = Channel.open(settings.channel).asking
    context.check_hostname = False  # `listen` need not be the name by which others know it; the authority is held to
    return http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=context)


def _in_folder(settings: NodeSettings) -> tuple[PolicyVersion | None, str]:
    schema = governed_schema(member_mapping(settings))
    last = PolicyMemory(settings.state / MEMORY_FILE).last()
    try:
        return open_policies(settings, schema, last).offered().version, ""
    except (PolicyUnavailableError, ConfigurationError) as error:
        return None, str(error)


def _ledger_size(settings: NodeSettings) -> int | None:
    place = settings.shared_place
    if place.url is None and not (place.state / LEDGER_FILE).exists():
        return None
    with closing(open_store_to_read(place)) as store:
        return store.size()

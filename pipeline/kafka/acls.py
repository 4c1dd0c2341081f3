"""The permissions of `principals` as Kafka has them: commands of its tool, and ACLs to create."""

from __future__ import annotations

import shlex
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from pipeline.kafka.principals import CLUSTER_KIND, PERMISSIONS, Permission, principal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kafka import KafkaAdminClient

TOOL: Final = "kafka-acls.sh"
ANY_HOST: Final = "*"


class AclsError(RuntimeError):
    """Kafka did not take the ACLs; the words say why."""


def commands_of(
    principals: Mapping[str, str], *, bootstrap: str, command_config: str = ""
) -> Iterator[str]:
    """Lines of a shell that give each process of `principals` (process -> user) what it needs.

    A line for each group of permissions that one call can give.
    """
    where = [TOOL, "--bootstrap-server", bootstrap]
    where += ["--command-config", command_config] if command_config else []
    for process, user in principals.items():
        yield f"# {process}"
        together: defaultdict[tuple[str, str, bool, bool], list[str]] = defaultdict(list)
        for each in PERMISSIONS[process]:
            key = each.kind, each.operation, each.is_prefix, each.is_denied
            together[key].append(each.name)
        for (kind, operation, is_prefix, is_denied), names in together.items():
            who = "--deny-principal" if is_denied else "--allow-principal"
            words = [*where, "--add", who, f"User:{user}", "--operation", operation]
            words += ["--cluster"] if kind == CLUSTER_KIND else []
            for name in names if kind != CLUSTER_KIND else ():
                words += [f"--{kind}", name]
            words += ["--resource-pattern-type", "prefixed"] if is_prefix else []
            yield shlex.join(words)


def allow(admin: KafkaAdminClient, principals: Mapping[str, str]) -> None:
    """Create the ACLs of each process of `principals`; a repeated call changes nothing.

    Raises `AclsError` where Kafka refuses one, as it does without an authorizer.
    """
    acls = [
        _acl_of(permission, user)
        for process, user in principals.items()
        for permission in PERMISSIONS[process]
    ]
    failed = admin.create_acls(acls)["failed"]
    if failed:
        raise AclsError(f"Kafka refuses {len(failed)} of {len(acls)} ACLs: {failed[0].__name__}")


def let_in(admin: KafkaAdminClient, process: str, password: str) -> None:
    """Make the user of a process with this password (SCRAM-SHA-512), and give it its ACLs.

    A repeated call sets the password again. Raises `AclsError`.
    """
    user = principal_of(process)
    wanted = [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)]
    if failed := admin.alter_user_scram_credentials(wanted).get(user):
        raise AclsError(f"Kafka does not take the user {user}: {failed}")
    allow(admin, {process: user})


def _acl_of(permission: Permission, user: str) -> ACL:
    """Kafka's names of kinds and operations are those of its enumerations, in capitals."""
    pattern = (
        ACLResourcePatternType.PREFIXED if permission.is_prefix else ACLResourcePatternType.LITERAL
    )
    kind = ResourceType[permission.kind.replace("-", "_").upper()]
    return ACL(
        principal=f"User:{user}",
        host=ANY_HOST,
        operation=ACLOperation[_in_capitals(permission.operation)],
        permission_type=ACLPermissionType.DENY if permission.is_denied else ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kind, permission.name, pattern),
    )


def _in_capitals(words: str) -> str:
    """`DescribeConfigs` as `DESCRIBE_CONFIGS`."""
    return "".join(f"_{each}" if each.isupper() else each for each in words).lstrip("_").upper()

"""The ACLs that each process needs, on a Kafka that refuses everything else.

python -m deploy.kafka_acls                           # print the commands of kafka-acls.sh
python -m deploy.kafka_acls --apply                   # give them now, by the login of the settings
python -m deploy.kafka_acls --principal worker=CN=w1  # a user that is not twoway-worker
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from kafka import KafkaAdminClient

from pipeline.home.stack import StackError, bootstrap_of
from pipeline.kafka.acls import AclsError, allow, commands_of
from pipeline.kafka.login.options import kafka_python_options
from pipeline.kafka.principals import PERMISSIONS, principal_of
from pipeline.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence


def principals_from(given: Sequence[str]) -> dict[str, str]:
    """The user of each process; `given` has `PROCESS=USER`. Raises `SettingsError`."""
    principals = {process: principal_of(process) for process in PERMISSIONS}
    for each in given:
        process, _, user = each.partition("=")
        if process not in principals or not user:
            known = ", ".join(principals)
            raise SettingsError(f"--principal {each}: it must be PROCESS=USER, with one of {known}")
        principals[process] = user
    return principals


def main(words: Sequence[str] | None = None) -> None:
    """Print the commands, or give the ACLs."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka_acls", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--apply", action="store_true", help="give them now")
    parser.add_argument(
        "--principal", action="append", default=[], metavar="PROCESS=USER", help="another user"
    )
    parser.add_argument(
        "--process", action="append", default=[], choices=list(PERMISSIONS), help="only this one"
    )
    parser.add_argument("--command-config", default="", metavar="FILE", help="for kafka-acls.sh")
    given = parser.parse_args(words)
    try:
        principals = principals_from(given.principal)
        if given.process:
            principals = {each: principals[each] for each in given.process}
        bootstrap = bootstrap_of(load_settings())
        if given.apply:
            with closing(KafkaAdminClient(**kafka_python_options(bootstrap))) as admin:
                allow(admin, principals)
            return
        for line in commands_of(
            principals, bootstrap=bootstrap, command_config=given.command_config
        ):
            print(line)
    except (SettingsError, StackError, AclsError) as error:
        sys.exit(f"twoway: {error}")


if __name__ == "__main__":
    main()

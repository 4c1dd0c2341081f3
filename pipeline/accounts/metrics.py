"""The metrics of `twoway accounts`, each name once."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

#: How the engine's metrics begin here: `twoway accounts` is no worker.
AGENT_PREFIX: Final = "twoway_accounts_agent_"

BALANCE: Final = Gauge(
    "twoway_accounts_balance_credits",
    "The balance of an account, in credits; the ledger has the exact amount.",
    ["account"],
)
UNPAID: Final = Gauge(
    "twoway_accounts_held", "Messages that wait until they are paid.", ["account"]
)
NOTICES: Final = Counter(
    "twoway_accounts_notices_total",
    "How often the balance has passed below notify_below.",
    ["account"],
)

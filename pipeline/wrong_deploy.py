"""Failures that no message has caused, and that a restart does not repair."""


class NeedsOperator(RuntimeError):
    """A restart would fail in the same way: the process waits, is not ready, and says why."""


class WrongDeploy(NeedsOperator):
    """Several records or rows of our own in a row cannot be read: the deployment is wrong."""

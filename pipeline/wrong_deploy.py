"""The failures that are nobody's message's fault, and that a new start does not mend."""


class NeedsOperator(RuntimeError):
    """A new start would end the same way: the worker waits, unready, and says why."""


class WrongDeploy(NeedsOperator):
    """Rows of our own making cannot be read, one after another: the deploy is wrong."""

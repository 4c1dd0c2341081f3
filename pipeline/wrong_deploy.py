"""The failure that is nobody's message's fault."""


class WrongDeploy(RuntimeError):
    """Records of our own making cannot be read, one after another: the deploy is wrong."""

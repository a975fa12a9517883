"""What a user's mistake raises: one sentence with the offending value and the remedy."""


class InputError(ValueError):
    """Bad input. The message is complete as it stands; the command line prints it without a traceback."""


class InputTypeError(InputError, TypeError):
    """Input of the wrong kind: another dtype, shape or type than the one asked for."""

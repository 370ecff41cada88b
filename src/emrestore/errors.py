"""Errors that a user can mend.

An :class:`EmrestoreError` carries one sentence that says what is wrong and what to do. The command line and the
scripts print it without a traceback and exit with status 1; any other exception is a defect of ours and keeps its
traceback.
"""


class EmrestoreError(Exception):
    """Something a user can mend; ``str(error)`` is one clear sentence."""


class EmrestoreWarning(UserWarning):
    """Something a user should know; the work goes on."""

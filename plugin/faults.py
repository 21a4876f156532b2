"""Logs what nobody foresaw so that it can be found again, without saying anything about anybody."""

import logging
import secrets
import traceback


def reference_of(log: logging.Logger, error: BaseException, what: str) -> str:
    """Log a bug met during ``what`` and give the short reference by which it is found.

    The frames and the type are logged, not the error's own words: these may hold what people wrote.
    """
    reference = secrets.token_hex(4)
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("bug %s in %s: %s\n%s", reference, what, type(error).__name__, frames)
    return reference

"""Bugs in the log: with a short reference and where they happened, without their words, which could quote
what people wrote.
"""

import logging
import secrets


def log_bug(log: logging.Logger, where: str, error: BaseException) -> str:
    """Log an error that nobody foresaw; returns the reference that stands in the log."""
    reference = secrets.token_hex(4)
    wordless = RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
    log.error("A bug while %s (%s)", where, reference, exc_info=wordless)
    return reference

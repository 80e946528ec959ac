"""Waiting for conditions, with deadlines."""

import time


class Failure(AssertionError):
    """What a test found wrong, in one sentence."""


def wait_until(what: str, condition, limit_s: float, every_s: float = 0.03):
    """Returns the first true value of `condition()`; fails saying that `what` did not happen."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"not within {limit_s:g} s: {what}")
        time.sleep(every_s)


def expect(condition, otherwise: str) -> None:
    if not condition:
        raise Failure(otherwise)

"""Runs the cases of a test file: functions named test_…, each in a fresh World.

Prints "ok NAME (SECONDS s)" or "FAIL NAME: why" for each; the name is the function's, as a
sentence.
A case may return a string, which is shown: a measured number.
"""

import os
import sys
import time
import traceback

from rig.conditions import Failure
from rig.world import World, unwind_on_signals

SOAK = os.environ.get("IPOP_SOAK") == "1"


def run_cases(module: dict, make_world=World) -> None:
    """For `run_cases(globals())` at the end of a file. Arguments choose cases by part of a name."""
    unwind_on_signals()
    wanted = sys.argv[1:]
    failed = False
    for name, case in list(module.items()):
        if name.startswith("test_") and (not wanted or any(word in name for word in wanted)):
            failed = not _run_case(name, case, make_world) or failed
    sys.exit(1 if failed else 0)


def _run_case(name: str, case, make_world) -> bool:
    sentence = name.removeprefix("test_").replace("_", " ")
    started = time.monotonic()
    try:
        with make_world() as world, world.logs_shown_on_failure():
            measured = case(world)
    except Failure as failure:
        print(f"FAIL {sentence}: {failure}", flush=True)
        return False
    except Exception as error:  # the case or the rig is broken: say where
        traceback.print_exc(file=sys.stdout)
        print(f"FAIL {sentence}: {type(error).__name__}: {str(error).splitlines()[:1]}", flush=True)
        return False
    note = f"; {measured}" if measured else ""
    print(f"ok {sentence} ({time.monotonic() - started:.1f} s{note})", flush=True)
    return True

"""The run: rounds, and in each round every system in turn, so that a noisy moment hits all."""

import subprocess
import sys

from rig.conditions import Failure
from rig.traffic import IperfServer
from rig.world import World

from netns.measures import Link, take_with_cost
from netns.rivals.rival import Rival
from netns.systems import await_pings


def measure_system(system, measures, seconds: int) -> dict:
    """Measure → Reading, on two hosts of its own that are gone afterwards."""
    with World() as world, world.logs_shown_on_failure():
        alice, bob = world.cable("alice", "bob")
        address = system.start(alice, bob)
        await_pings(system, alice, address)
        # Nothing else runs there yet.
        pids = alice.pids() + bob.pids()
        link = Link(alice, bob, address, IperfServer(bob, address), seconds)
        return {each.name: take_with_cost(each, link, pids) for each in measures
                if not system.measures or each.name in system.measures}


def run_rounds(systems: list, measures: list, rounds: int, seconds: int) -> tuple:
    """System → measure → readings, one a round; and the rivals that failed, each with its reason.

    A rival that fails once is left out of the whole run; for anything else the run ends."""
    readings, failed = {system.name: {} for system in systems}, {}
    for number in range(rounds):
        start = number % len(systems)  # each round begins with another system
        for system in systems[start:] + systems[:start]:
            if system.name in failed:
                continue
            try:
                taken = measure_system(system, measures, seconds)
            except (Failure, RuntimeError, OSError, subprocess.SubprocessError) as error:
                if not isinstance(system, Rival):
                    raise
                failed[system.name] = str(error).splitlines()[0]
                del readings[system.name]
                tell(f"{system.name} is left out: {failed[system.name]}")
                continue
            for name, reading in taken.items():
                readings[system.name].setdefault(name, []).append(reading)
            tell(f"round {number + 1} of {rounds}: {system.name} "
                 + ", ".join(f"{name} {taken[name].value:.6g}" for name in taken))
    return readings, failed


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

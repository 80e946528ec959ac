"""Sees that libraries made for AVX-512 have no symbols but their entry points.

A weak symbol in one, such as an inline function of a header, could be chosen by the linker for the
whole program, which would then not run on other processors.

Usage: symbols_test.py NM LIBRARY.a.. ENTRY_POINT..
"""

import subprocess
import sys


def main() -> int:
    nm, *others = sys.argv[1:]
    libraries = [each for each in others if each.endswith(".a")]
    entry_points = [each for each in others if not each.endswith(".a")]
    listing = subprocess.run(
        [nm, "--demangle", "--defined-only", *libraries], check=True, capture_output=True, text=True
    ).stdout
    found = []
    wrong = []
    for line in listing.splitlines():
        fields = line.split(maxsplit=2)
        if len(fields) != 3 or fields[1].islower() and fields[1] not in "uvw":
            continue
        name = fields[2].split("(")[0]
        found.append(name)
        if fields[1] != "T" or name not in entry_points:
            wrong.append(line)
    for line in wrong:
        print("should not be there:", line)
    for name in set(entry_points) - set(found):
        print("missing:", name)
        wrong.append(name)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

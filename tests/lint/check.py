"""Runs every lint over the tree: `./dev lint`. Prints "ok NAME" or "FAIL NAME: why" for each."""

import sys
from pathlib import Path

import cited_tests
import completeness
import formatting
import headers
import includes
import length
import names
import words
from source_tree import SourceTree

LINTS = [includes, length, names, words, headers, formatting, completeness,
         cited_tests]


def main() -> int:
    tree = SourceTree(Path(__file__).resolve().parents[2])
    failed = False
    for lint in LINTS:
        findings = lint.check(tree)
        for finding in findings:
            print(f"    {finding}")
        if findings:
            failed = True
            print(f"FAIL {lint.__name__}: {len(findings)} found, the first is {findings[0]}")
        else:
            print(f"ok {lint.__name__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

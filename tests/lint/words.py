"""Nothing unfinished is committed, and tests do not wait by sleeping."""

import re

# Written in two halves, so that this file passes its own check.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\(")
SUFFIXES = (".cpp", ".hpp", ".py", ".sh", ".md", ".yaml", ".build")
MAX_COLUMNS = 100


def check(tree) -> list:
    findings = []
    for file in tree.with_suffix(*SUFFIXES):
        for number, line in tree.lines(file):
            match = UNFINISHED.search(line)
            if match:
                findings.append(f'{file}:{number}: the word "{match[0]}"')
            if file.parts[:2] == ("tests", "unit") and SLEEP.search(line):
                findings.append(f"{file}:{number}: a test waits for conditions, it does not sleep")
            if file.suffix == ".py" and len(line) > MAX_COLUMNS:
                findings.append(f"{file}:{number}: {len(line)} columns; the limit is {MAX_COLUMNS}")
    return findings

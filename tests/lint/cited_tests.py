"""Every test that docs/security.md cites is there: without it, a statement is only a hope."""

import re

DOCUMENT = "docs/security.md"
CITED = re.compile(r"`(?:(\w+)\.(\w+)|(\w+_test))`")
DEFINED = re.compile(r"^\s*TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.M)


def check(tree) -> list:
    if DOCUMENT not in {str(file) for file in tree.files}:
        return []
    defined = {f"{suite}.{name}" for file in tree.cpp() if file.parts[0] == "tests"
               for suite, name in DEFINED.findall(tree.text(file))}
    files = {file.stem for file in tree.files if file.parts[0] == "tests"}
    findings = []
    for number, line in tree.lines(DOCUMENT):
        for suite, name, file in CITED.findall(line):
            if suite and name[0].isupper() and f"{suite}.{name}" not in defined:
                findings.append(f"{DOCUMENT}:{number}: there is no test {suite}.{name}")
            if file and file not in files:
                findings.append(f"{DOCUMENT}:{number}: there is no {file}.py")
    return findings

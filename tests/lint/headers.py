"""A header opens by saying what it is, and is protected by #pragma once."""


def check(tree) -> list:
    findings = []
    for file in tree.with_suffix(".hpp"):
        lines = [line for _, line in tree.lines(file)]
        if not lines or not lines[0].startswith("// "):
            findings.append(f"{file}:1: a header opens with a comment that says what it is")
        if "#pragma once" not in lines:
            findings.append(f"{file}: no #pragma once")
    return findings

"""No source file is longer than 400 lines: past that it is two concepts."""

LIMIT = 400
SUFFIXES = (".cpp", ".hpp", ".sh", ".py")


def check(tree) -> list:
    scripts = [f for f in tree.files if f.name in ("dev", "run") and not f.suffix]
    findings = []
    for file in tree.with_suffix(*SUFFIXES) + scripts:
        lines = len(tree.lines(file))
        if lines > LIMIT:
            findings.append(f"{file}: {lines} lines; the limit is {LIMIT}")
    return findings

"""Files and namespaces are named after the one thing inside, and in snake_case."""

import re

FORBIDDEN = {"util", "utils", "helper", "helpers", "common", "misc", "manager"}
SNAKE = re.compile(r"^[a-z0-9]+(_[a-z0-9]+)*$")
NAMESPACE = re.compile(r"^\s*(?:inline\s+)?namespace\s+([\w:]+)")
SOURCE = (".cpp", ".hpp", ".py", ".sh")


def check(tree) -> list:
    findings = []
    for file in tree.with_suffix(*SOURCE):
        for part in [*file.parts[:-1], file.stem]:
            findings += [f'{file}: "{word}" names nothing'
                         for word in _forbidden(part)]
        if not SNAKE.match(file.stem) and file.stem != "__init__":
            findings.append(f"{file}: the name is not in snake_case")
    for file in tree.cpp():
        for number, line in tree.lines(file):
            match = NAMESPACE.match(line)
            if match:
                findings += [f'{file}:{number}: namespace "{word}" names nothing'
                             for part in match[1].split("::") for word in _forbidden(part)]
    return findings


def _forbidden(name: str) -> list:
    return [word for word in name.split("_") if word in FORBIDDEN]

"""C++ is as clang-format writes it with the tree's .clang-format."""

import re
import shutil
import subprocess

WARNING = re.compile(r"^(?P<place>[^:]+:\d+):\d+: error: ")
BATCH = 50


def check(tree) -> list:
    if shutil.which("clang-format") is None:
        return ["clang-format is not installed"]
    files = [str(file) for file in tree.cpp()]
    findings = []
    for start in range(0, len(files), BATCH):
        outcome = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", *files[start:start + BATCH]],
            cwd=tree.root, capture_output=True, text=True, check=False)
        places = {}
        for line in outcome.stderr.splitlines():
            match = WARNING.match(line)
            if match:
                places.setdefault(match["place"].rsplit(":", 1)[0], match["place"])
        findings += [f"{place}: not as clang-format writes it" for place in places.values()]
        if outcome.returncode != 0 and not places:
            findings.append(f"clang-format: {outcome.stderr.strip()[:200]}")
    return findings

"""clang-tidy over the sources of the tree, as .clang-tidy says: part of `./dev lint`.

Minutes long, so not part of `./dev test`. Needs the commands of a tree that clang 16 can compile.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.build_tree import ADDRESS, JOBS, ROOT

UNITS = ("app/", "base/", "conf/", "engine/", "kni/", "overlay/")


def sources() -> list:
    if not ADDRESS.configure_shown():
        sys.exit("lint: the build cannot be configured")
    commands = json.loads((ADDRESS.path / "compile_commands.json").read_text(encoding="utf-8"))
    files = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in commands}
    return sorted(str(file.relative_to(ROOT)) for file in files
                  if file.is_relative_to(ROOT)
                  and str(file.relative_to(ROOT)).startswith(UNITS))


def tidy(file: str) -> str:
    """What clang-tidy finds in one file; empty if nothing."""
    outcome = subprocess.run(["clang-tidy-16", "--quiet", "-p", str(ADDRESS.path), file], cwd=ROOT,
                             capture_output=True, text=True, check=False)
    return "" if outcome.returncode == 0 else outcome.stdout + outcome.stderr


def main() -> int:
    failed = 0
    files = sources()
    with ThreadPoolExecutor(int(JOBS)) as pool:
        for file, findings in zip(files, pool.map(tidy, files)):
            if findings:
                failed += 1
                print(findings.strip())
                print(f"FAIL clang-tidy {file}")
    print(f"clang-tidy: {len(files) - failed} of {len(files)} files are clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What must be there, is: every fuzz target is built, every unit test too, the example exists."""

import re

ENTRY = "LLVMFuzzerTestOneInput"


def check(tree) -> list:
    names = {str(file) for file in tree.files}
    findings = [f"{must} is missing" for must in ("conf/example.yaml", "README.md", "CHANGELOG.md",
                                                  "LICENSE", ".ci/run", "dev")
                if must not in names]
    return findings + _fuzz_targets(tree, names) + _unit_tests(tree, names)


def _fuzz_targets(tree, names) -> list:
    build = "tests/fuzz/meson.build"
    listed = set(re.findall(r"'(\w+)'\s*:", tree.text(build))) if build in names else set()
    findings = []
    targets = set()
    for file in tree.cpp():
        if file.parts[:2] == ("tests", "fuzz") and ENTRY in tree.text(file):
            targets.add(file.stem)
            if file.stem not in listed:
                findings.append(f"{file}: not in {build}, so nobody runs it")
    return findings + [f"{build}: no source for target {name}" for name in sorted(listed - targets)]


def _unit_tests(tree, names) -> list:
    findings = []
    for file in tree.cpp():
        if file.parts[:2] == ("tests", "unit") and file.stem.endswith("_test"):
            if not _is_built(tree, names, file):
                findings.append(f"{file}: in no meson.build, so nobody runs it")
    return findings


def _is_built(tree, names, file) -> bool:
    for folder in file.parents:
        build = str(folder / "meson.build")
        if build in names and str(file.relative_to(folder)) in tree.text(build):
            return True
    return False

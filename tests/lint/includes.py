"""Includes go one way: app → {overlay, engine, kni} → conf, base.

overlay sees of the engine only engine/api, kni only engine/api, engine/net and engine/port; nobody
but engine and kni sees DPDK. Tests of a unit may include what the unit may, and headers that stand
beside them.
"""

import re

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Folder → what it may include, as prefixes of paths from the root.
ALLOWED = {
    "base": ["base/"],
    "conf": ["conf/", "base/"],
    "engine/api": ["engine/api/", "base/"],
    "engine": ["engine/", "conf/", "base/"],
    "overlay": ["overlay/", "engine/api/", "conf/", "base/"],
    "kni": ["kni/", "engine/api/", "engine/net/", "engine/port/", "conf/", "base/"],
    "app": ["app/", "overlay/", "engine/", "kni/", "conf/", "base/"],
}
UNITS = ["base", "conf", "engine", "overlay", "kni", "app"]
DPDK = re.compile(r"^rte_|^dpdk/")
MAY_SEE_DPDK = {"engine", "kni", "app"}


def area(file) -> str:
    """The key of ALLOWED that a file falls under, or "" if none."""
    parts = file.parts
    if parts[:2] == ("tests", "unit"):
        parts = parts[2:]
    if parts[:2] == ("engine", "api"):
        return "engine/api"
    return parts[0] if parts and parts[0] in ALLOWED else ""


def check(tree) -> list:
    findings = []
    for file in tree.cpp():
        here = area(file)
        if not here:
            continue
        is_test = file.parts[0] == "tests"
        for number, line in tree.lines(file):
            match = INCLUDE.match(line)
            if match:
                beside = is_test and file.parent / match[2] in tree.files
                why = _objection(here, is_test, match[1], match[2])
                if why and not beside:
                    findings.append(f"{file}:{number}: {why}")
    return findings


def _objection(here: str, is_test: bool, bracket: str, name: str) -> str:
    unit = here.split("/")[0]
    if DPDK.match(name):
        if unit not in MAY_SEE_DPDK or here == "engine/api":
            return f"{here} must not see DPDK ({name})"
        return ""
    if bracket == "<":
        return ""
    if name.startswith((".", "/")) or "/" not in name:
        return f'"{name}" is not written from the root of the tree'
    if name.split("/")[0] not in UNITS:
        return "" if is_test and name.startswith("tests/") else f'"{name}" is none of the units'
    if not any(name.startswith(prefix) for prefix in ALLOWED[here]):
        return f'{here} must not include "{name}"'
    return ""

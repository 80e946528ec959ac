"""Runs every fuzz target for a while, from its seed corpus and what earlier runs have found."""

from pathlib import Path

from harness.build_tree import ADDRESS, ROOT, SANITIZER_ENV
from harness.command import run
from harness.report import Report


def fuzz_programs() -> list:
    return sorted(path for path in (ADDRESS.path / "tests/fuzz").glob("fuzz_*")
                  if path.is_file() and not path.suffix)


def run_fuzz_targets(report: Report, seconds_each: int) -> None:
    programs = fuzz_programs()
    if not programs:
        report.add("fuzz", False, "the build has no fuzz targets")
    for program in programs:
        _run_target(report, program, seconds_each)


def _run_target(report: Report, program: Path, seconds: int) -> None:
    target = program.name.removeprefix("fuzz_")
    found = ADDRESS.path / "corpus" / target  # kept between runs
    found.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests/fuzz/corpus" / target
    crashes = report.directory / f"fuzz-{target}-"
    outcome = run(
        [*ADDRESS.launcher(), program, f"-max_total_time={seconds}", "-timeout=5",
         "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={crashes}", found,
         *([seeds] if seeds.is_dir() else [])],
        report.directory / f"fuzz-{target}.log", seconds + 60, env=SANITIZER_ENV)
    runs = next((line.split()[-1] for line in outcome.output.splitlines()
                 if line.startswith("stat::number_of_executed_units")), "0")
    report.add(f"fuzz {target}: {runs} inputs" if outcome.ok else f"fuzz {target}", outcome.ok,
               outcome.why())
    if not outcome.ok:
        print(outcome.tail(), flush=True)

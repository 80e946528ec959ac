"""The part of the report about microbenchmarks: build/bench/micro.json, the lines that say most."""

from report.tables import figure, table

# Google Benchmark's own fields; the rest of an entry are counters of the benchmark.
FIELDS = {"name", "family_index", "per_family_instance_index", "run_name", "run_type",
          "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time",
          "time_unit", "bytes_per_second", "error_occurred", "error_message"}
SHOWN = ("segment_bench", "coalesce_bench", "table_bench", "replay_window_bench",
         "handshake_bench", "tap_io_bench")
TO_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def sections(micro: dict) -> list:
    rows = []
    for program in SHOWN:
        for each in micro.get(program, {}).get("benchmarks", []):
            if each.get("error_occurred"):
                continue
            name = each["name"].removeprefix("BM_").removesuffix("/manual_time")
            counters = [counter(key, value) for key, value in each.items() if key not in FIELDS]
            rows.append([program.removesuffix("_bench"), name,
                         figure(each["real_time"] * TO_NS[each["time_unit"]]),
                         ", ".join(counters)])
    return ["### Parts of the engine", "ns; every figure is in `build/bench/micro.json`.",
            table(["of", "what", "ns", "and"], rows)]


def counter(name: str, value: float) -> str:
    """Counters are ratios, ns, or seconds for one of many in a turn."""
    if name == "ratio":
        return f"{value:.2f} of the AEAD alone"
    if name.endswith("_ns"):
        return f"{name.removesuffix('_ns')} {figure(value)} ns"
    return f"{figure(value * 1e9)} ns each {name}"

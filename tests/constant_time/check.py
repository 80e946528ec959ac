"""Whether the AEAD kernels take the same time for all keys and texts: `./dev constant-time`.

Two looks. The kernels of 256 bits are compiled for clang's MemorySanitizer and run with keys and
texts marked as not initialised: a branch or an address that depends on one ends the program. And in
the machine code of all kernels, as the plain tree has it, whatever reads flags that an instruction
on vectors has set must only store them: what is in vectors is secret, but for the verdict on a tag.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "constant-time"
AEAD = ROOT / "engine" / "aead"
SOURCES = [AEAD / "gcm/gcm_key.cpp", AEAD / "vaes256/seal_gcm.cpp", AEAD / "vaes256/open_gcm.cpp",
           AEAD / "chacha256/chacha_poly.cpp",
           ROOT / "tests/constant_time/secrets.cpp"]
# Parameters that are not initialised are no branch: to hand them on is allowed.
FLAGS = ["-std=c++2b", "-U__cpp_concepts", "-D__cpp_concepts=202002L",
         "-Wno-builtin-macro-redefined", "-O1", "-fsanitize=memory",
         "-fno-sanitize-memory-param-retval", "-mavx2", "-mbmi2", "-maes", "-mpclmul",
         "-mvaes", "-mvpclmulqdq", f"-I{ROOT}"]
LIMIT_S = 600
CLEAN = "nothing depends on a secret"

SETS_FLAGS = re.compile(r"v?ptest|vtestp|kortest|ktest|v?u?comis|vpcmp[ei]str")
OTHER_FLAGS = re.compile(r"(add|sub|cmp|test|and|or|xor|inc|dec|neg|shl|shr|sar|bt|bzhi|adc|sbb|"
                         r"imul|mul|popcnt|lzcnt|tzcnt)[bwlq]?$")
READS_FLAGS = re.compile(r"(j(?!mp)\w+|cmov\w+|set\w+|adc\w?|sbb\w?)$")


def compile_program() -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    running = []
    for source in SOURCES:
        made = WORK / f"{source.parent.name}-{source.stem}.o"
        running.append((made, subprocess.Popen(
            ["ccache", "clang++-16", *FLAGS, "-c", str(source), "-o", str(made)])))
    if any(process.wait(LIMIT_S) != 0 for _, process in running):
        sys.exit("the kernels do not compile for MemorySanitizer")
    program = WORK / "secrets"
    subprocess.run(["clang++-16", *FLAGS, *[str(made) for made, _ in running], "-o", str(program)],
                   check=True, timeout=LIMIT_S)
    return program


def run_marked(program: Path, *arguments) -> subprocess.CompletedProcess:
    # Its shadow memory is where address randomisation may put something else.
    return subprocess.run(["setarch", "--addr-no-randomize", str(program), *arguments],
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)


def check_marked(program: Path) -> list:
    plain = run_marked(program)
    if "cannot run" in plain.stdout:
        print(plain.stdout.strip())
        return []
    findings = []
    if plain.returncode != 0 or CLEAN not in plain.stdout:
        findings.append(f"MemorySanitizer: {plain.stdout[-500:]}{plain.stderr[-2000:]}")
    if run_marked(program, "leak").returncode == 0:
        findings.append("a branch on a secret, made on purpose, was not noticed")
    return findings


def findings_in(code: str) -> list:
    """Of a disassembly: whatever is decided by flags that an instruction on vectors has set."""
    findings = []
    function, setter = "", ""
    for line in code.splitlines():
        if line.endswith(">:"):
            function, setter = line.split("<", 1)[1][:-2], ""
            continue
        parts = line.split("\t")
        if len(parts) < 2:
            continue
        name = parts[-1].split()[0]
        if SETS_FLAGS.match(name):
            setter = name
        elif READS_FLAGS.match(name):
            if setter and not name.startswith("set"):
                findings.append(f"{function}: {name} behind {setter}")
        elif OTHER_FLAGS.match(name):
            setter = ""
    return findings


def check_machine_code() -> list:
    findings = []
    archives = sorted((ROOT / "build/engine/aead").glob("*/libengine_aead_*.a"))
    if len(archives) < 4:
        findings.append("the plain tree has no kernels: ./dev build first")
    for archive in archives:
        code = subprocess.run(
            ["objdump", "-d", "--no-show-raw-insn", "--demangle", str(archive)], check=True,
            capture_output=True, text=True, timeout=LIMIT_S).stdout
        findings += [f"{archive.name}: {finding}" for finding in findings_in(code)]
        jumps = len(re.findall(r"\tj(?!mp)\w+ ", code))
        print(f"{archive.name}: {jumps} branches, none on what a vector says"
              if not findings else f"{archive.name}: looked at")
    return findings


def main() -> int:
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    sample = "0 <f>:\n 1:\tvptest %xmm0,%xmm0\n 2:\tmov %eax,%ebx\n 3:\tjne 4\n"
    assert findings_in(sample) == ["f: jne behind vptest"]
    findings = check_machine_code() + check_marked(compile_program())
    for finding in findings:
        print(f"FAIL {finding}")
    print(f"constant time: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

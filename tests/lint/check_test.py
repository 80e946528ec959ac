"""The lints' own test: each lets a good sample pass and refuses a bad one."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import cited_tests  # noqa: E402
import completeness  # noqa: E402
import formatting  # noqa: E402
import headers  # noqa: E402
import includes  # noqa: E402
import length  # noqa: E402
import names  # noqa: E402
import words  # noqa: E402
from source_tree import SourceTree  # noqa: E402


class LintCase(unittest.TestCase):
    def findings(self, lint, files: dict) -> list:
        with tempfile.TemporaryDirectory(prefix="ipop-lint-") as folder:
            root = Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return lint.check(SourceTree(root, list(files)))

    def accepts(self, lint, files: dict) -> None:
        self.assertEqual(self.findings(lint, files), [])

    def refuses(self, lint, files: dict, place: str) -> None:
        found = self.findings(lint, files)
        self.assertTrue(any(place in finding for finding in found), found)


class Includes(LintCase):
    def test_accepts_the_directions_of_the_design(self):
        self.accepts(includes, {
            "overlay/a.cpp": '#include "engine/api/types.hpp"\n#include <vector>\n',
            "kni/a.cpp": '#include "engine/port/port.hpp"\n#include <rte_mbuf.h>\n',
            "engine/path/a.cpp": '#include <rte_mbuf.h>\n#include "base/ip.hpp"\n',
            "app/a.cpp": '#include "overlay/a.hpp"\n#include "engine/engine.hpp"\n',
            "tests/unit/overlay/a_test.cpp": '#include "overlay/a.hpp"\n#include "sample.hpp"\n',
            "tests/unit/overlay/sample.hpp": "",
        })

    def test_refuses_every_wrong_direction(self):
        wrong = [
            ("overlay/a.cpp", '"engine/path/encap.hpp"'), ("overlay/a.cpp", "<rte_mbuf.h>"),
            ("overlay/a.cpp", '"kni/tap_port.hpp"'), ("engine/a.cpp", '"overlay/a.hpp"'),
            ("engine/a.cpp", '"kni/a.hpp"'), ("kni/a.cpp", '"overlay/a.hpp"'),
            ("kni/a.cpp", '"engine/path/encap.hpp"'), ("base/a.cpp", '"conf/config.hpp"'),
            ("conf/a.cpp", '"engine/api/types.hpp"'), ("engine/api/a.hpp", "<rte_ring.h>"),
            ("engine/api/a.hpp", '"engine/port/port.hpp"'), ("overlay/a.cpp", '"app/a.hpp"'),
            ("tests/unit/overlay/a_test.cpp", "<rte_mbuf.h>"), ("base/a.cpp", '"bytes.hpp"'),
            ("kni/a.cpp", '"../base/ip.hpp"'),
        ]
        for file, name in wrong:
            with self.subTest(file=file, name=name):
                self.refuses(includes, {file: f"\n#include {name}\n"}, f"{file}:2")


class Length(LintCase):
    def test_accepts_400_lines_and_refuses_401(self):
        self.accepts(length, {"base/a.cpp": "\n" * 400})
        self.refuses(length, {"base/a.cpp": "\n" * 401}, "base/a.cpp: 401")
        self.refuses(length, {"dev": "\n" * 401}, "dev: 401")


class Names(LintCase):
    def test_accepts_names_of_things(self):
        self.accepts(names, {"base/byte_reader.hpp": "namespace ipop::overlay {\n"})

    def test_refuses_names_of_nothing(self):
        self.refuses(names, {"base/string_util.hpp": ""}, "string_util")
        self.refuses(names, {"base/common/a.hpp": ""}, "common")
        self.refuses(names, {"base/ByteReader.hpp": ""}, "snake_case")
        self.refuses(names, {"base/a.hpp": "namespace ipop::helpers {\n"}, "base/a.hpp:1")


class Words(LintCase):
    def test_accepts_finished_work(self):
        self.accepts(words, {"base/a.cpp": "// Why it is so.\n", "a.py": "x" * 100 + "\n"})

    def test_refuses_notes_of_unfinished_work(self):
        self.refuses(words, {"base/a.cpp": "\n// TO" "DO: later\n"}, "base/a.cpp:2")
        self.refuses(words, {"docs/a.md": "FIX" "ME\n"}, "docs/a.md:1")

    def test_refuses_a_unit_test_that_sleeps(self):
        sample = "std::this_thread::sleep_for(1s);\n"
        self.refuses(words, {"tests/unit/base/a_test.cpp": sample}, "does not sleep")

    def test_refuses_long_lines_of_python(self):
        self.refuses(words, {"a.py": "x" * 101 + "\n"}, "101 columns")


class Headers(LintCase):
    def test_accepts_a_header_that_says_what_it_is(self):
        self.accepts(headers, {"base/a.hpp": "// What it is.\n#pragma once\n"})

    def test_refuses_a_mute_header(self):
        self.refuses(headers, {"base/a.hpp": "#pragma once\n"}, "base/a.hpp:1")
        self.refuses(headers, {"base/a.hpp": "// What it is.\n"}, "#pragma once")


class Formatting(LintCase):
    STYLE = "BasedOnStyle: Google\n"

    def test_accepts_what_clang_format_writes(self):
        self.accepts(formatting, {".clang-format": self.STYLE, "base/a.cpp": "int a = 1;\n"})

    def test_refuses_anything_else(self):
        files = {".clang-format": self.STYLE, "base/a.cpp": "int  a=1;\n"}
        self.refuses(formatting, files, "base/a.cpp")


class Completeness(LintCase):
    MUST = {name: "" for name in ("conf/example.yaml", "README.md", "CHANGELOG.md", "LICENSE",
                                  ".ci/run", "dev")}
    TARGET = "int LLVMFuzzerTestOneInput();\n"

    def test_accepts_a_complete_tree(self):
        self.accepts(completeness, {
            **self.MUST, "tests/fuzz/record.cpp": self.TARGET,
            "tests/fuzz/meson.build": "fuzz_targets = {\n  'record': [a_dep],\n}\n",
            "tests/unit/overlay/trust/key_test.cpp": "",
            "tests/unit/overlay/meson.build": "executable('x', 'trust/key_test.cpp')\n",
        })

    def test_refuses_what_nobody_runs(self):
        self.refuses(completeness, {**self.MUST, "tests/fuzz/record.cpp": self.TARGET,
                                    "tests/fuzz/meson.build": "fuzz_targets = {\n}\n"},
                     "tests/fuzz/record.cpp: not in")
        self.refuses(completeness, {**self.MUST, "tests/unit/base/a_test.cpp": "",
                                    "tests/unit/base/meson.build": "executable('x')\n"},
                     "tests/unit/base/a_test.cpp")
        self.refuses(completeness, {"README.md": ""}, "conf/example.yaml is missing")
        self.refuses(completeness, {**self.MUST,
                                    "tests/fuzz/meson.build": "fuzz_targets = {'gone': [],}\n"},
                     "no source for target gone")


class CitedTests(LintCase):
    TESTS = {"tests/unit/base/a_test.cpp": "TEST_F(Wall, Holds) {\n", "tests/netns/b_test.py": ""}

    def test_accepts_statements_that_are_tested(self):
        self.accepts(cited_tests,
                     {**self.TESTS, "docs/security.md": "| x | `Wall.Holds`, `b_test` |"})

    def test_refuses_statements_whose_test_is_gone(self):
        for cited in ("`Wall.Stands`", "`c_test`"):
            with self.subTest(cited=cited):
                self.refuses(cited_tests, {**self.TESTS, "docs/security.md": f"\n| x | {cited} |"},
                             "docs/security.md:2")


if __name__ == "__main__":
    unittest.main()

"""What `./dev bench` makes of dpdk-testpmd's words and of rounds beside it."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf"), str(ROOT / "tests/netns")]

from ports import rounds, testpmd  # noqa: E402
from report import engine_alone  # noqa: E402


def shown(*rates: int) -> str:
    return "".join(f"  Throughput (since last show)\n  Rx-pps:  {rate:>12}  Rx-bps: 1\n"
                   f"  Tx-pps:  {7 * rate:>12}  Tx-bps: 1\n" for rate in rates)


def row_of(io: float, mac: float) -> dict:
    way = {"engine_ns": {"median": 40.0}, "aead_ns": {"median": 15.0},
           "beyond_ns": {"median": 24.0}}
    return {"wire": "net_ring", "io_ns": {"median": io}, "mac_ns": {"median": mac},
            "relay_ns": {"median": 30.0}, "encap": way, "decap": way}


class Testpmd(unittest.TestCase):
    def test_the_last_rates_of_all_ports_count(self):
        said = shown(1, 2) + shown(150_000_000, 50_000_000)
        self.assertEqual(testpmd.ns_of(said, 2), 5.0)

    def test_a_rate_that_was_asked_for_once_is_none(self):
        for said, ports in ((shown(10), 1), (shown(10, 10), 2), ("", 1)):
            with self.assertRaises(RuntimeError):
                testpmd.ns_of(said, ports)

    def test_a_port_that_forwards_nothing_is_no_floor(self):
        with self.assertRaises(RuntimeError):
            testpmd.ns_of(shown(10, 0), 1)


class Rounds(unittest.TestCase):
    def test_ratios_are_of_the_same_round(self):
        taken = [[rounds.of_round(row_of(io, 8.0), {"io": theirs, "mac": 10.0})]
                 for io, theirs in ((4.0, 2.0), (40.0, 40.0), (3.0, 1.0))]
        median = rounds.summarise(taken)[0]["median"]
        self.assertEqual(median["io"], 4.0)
        self.assertEqual(median["io_to_testpmd"], 2.0)
        self.assertEqual(median["relay_to_testpmd"], 3.0)
        self.assertEqual(median["encap_beyond"], 24.0)

    def test_without_testpmd_there_are_no_ratios_to_it(self):
        row = rounds.summarise([[rounds.of_round(row_of(4.0, 8.0), {})]])[0]
        self.assertNotIn("io_to_testpmd", row["median"])
        text = "\n".join(engine_alone.ports_sections(
            {"rounds": 1, "without_testpmd": "it is not there", "rows": [row]}))
        self.assertIn("| net_ring | – | 4.00 | – | – | 8.00 | – |", text)
        self.assertIn("It is not among them: it is not there.", text)

    def test_the_report_has_both_in_one_row(self):
        row = rounds.summarise([[rounds.of_round(row_of(4.0, 8.0), {"io": 2.0, "mac": 10.0})]])[0]
        text = "\n".join(engine_alone.ports_sections(
            {"rounds": 1, "without_testpmd": "", "rows": [row]}))
        self.assertIn("| net_ring | 2.00 | 4.00 | 2.00 | 10.0 | 8.00 | 0.80 |", text)
        self.assertIn("| net_ring | 30.0 | 3.00 | 15.0 | 40.0 | 24.0 | 15.0 | 40.0 | 24.0 |", text)


if __name__ == "__main__":
    unittest.main()

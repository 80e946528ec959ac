"""The arithmetic of `./dev bench`: medians, ratios and percentiles, and the report of them."""

import sys
import unittest
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "perf"), str(ROOT / "tests/netns")]

from netns.measures import MEASURES, Measure, Reading, percentile  # noqa: E402
from netns.summary import summarise  # noqa: E402
from report import bars, host_to_host, tables  # noqa: E402
from report.throughput_plot import throughput_plot  # noqa: E402

TCP = Measure("tcp-1", "TCP, one stream", "Mbit/s", True, None)
PING = Measure("ping", "round trip", "ms", False, None)
MACHINE = {"cpu": "a <fast> one", "cores": 2, "kernel": "6.1", "date": "2026-01-01", "commit": "c"}


def readings(*values, **fields) -> list:
    return [Reading(value, **fields) for value in values]


def netns_of(rows: list) -> dict:
    return {"seconds": 3, "rounds": 3, "left_out": {"tinc": "not installed (tincd)"}, "rows": rows,
            "systems": {"bare": {"label": "bare veth", "kind": "bare", "version": ""},
                        "tapipop": {"label": "tapipop", "kind": "ours", "version": ""},
                        "nebula": {"label": "Nebula", "kind": "rival", "version": "1.6"}}}


class Summary(unittest.TestCase):
    def rows(self) -> list:
        return summarise([TCP, PING], {
            "bare": {"tcp-1": readings(1000, 3000, 2000), "ping": readings(0.01)},
            "tapipop": {"tcp-1": readings(900, 500, 100, cpu_s=2.0, wall_s=4.0),
                        "ping": readings(0.2)},
            "nebula": {"tcp-1": readings(250, 250, 9000)},
        })

    def test_the_median_round_counts_and_not_the_best(self):
        systems = self.rows()[0]["systems"]
        self.assertEqual([systems[name]["median"] for name in ("bare", "tapipop", "nebula")],
                         [2000, 500, 250])
        self.assertEqual(systems["nebula"]["values"], [250, 250, 9000])

    def test_ratios_are_of_medians(self):
        row = self.rows()[0]
        self.assertEqual(row["tapipop_to"], {"bare": 0.25, "nebula": 2.0})
        self.assertEqual(row["systems"]["nebula"]["to_bare"], 0.125)

    def test_processor_time_becomes_busy_cores(self):
        self.assertEqual(self.rows()[0]["systems"]["tapipop"]["cores"], 0.5)

    def test_a_system_without_a_figure_has_no_ratio(self):
        row = self.rows()[1]
        self.assertNotIn("nebula", row["systems"])
        self.assertEqual(row["tapipop_to"], {"bare": 20.0})

    def test_without_the_cable_there_are_no_ratios_to_it(self):
        row = summarise([TCP], {"tapipop": {"tcp-1": readings(5)}})[0]
        self.assertIsNone(row["systems"]["tapipop"]["to_bare"])
        self.assertEqual(row["tapipop_to"], {})

    def test_loss_is_unknown_for_tcp_and_a_median_for_udp(self):
        lossy = [Reading(1, loss=0.5), Reading(1, loss=0.1), Reading(1, loss=0.2)]
        row = summarise([TCP], {"bare": {"tcp-1": readings(1)}, "tapipop": {"tcp-1": lossy}})[0]
        self.assertIsNone(row["systems"]["bare"]["loss"])
        self.assertEqual(row["systems"]["tapipop"]["loss"], 0.2)


class Percentile(unittest.TestCase):
    def test_is_the_nearest_rank(self):
        hundred = list(range(1, 101))
        self.assertEqual(percentile(hundred, 0.99), 99)
        self.assertEqual(percentile(hundred, 1), 100)
        self.assertEqual(percentile(hundred, 0.5), 50)
        self.assertEqual(percentile([7], 0.99), 7)


class Report(unittest.TestCase):
    def test_has_a_row_for_each_system_and_says_who_is_left_out(self):
        text = "\n".join(host_to_host.sections(netns_of(Summary().rows())))
        self.assertIn("| tapipop | 500 | 0.200 |", text)
        self.assertIn("| Nebula 1.6 | 250 | – |", text)
        self.assertIn("| bare veth | 0.25 | 20.0 |", text)
        self.assertIn("tinc was left out: not installed (tincd).", text)

    def test_figures_have_three_digits_that_count(self):
        self.assertEqual([tables.figure(value) for value in (19753.4, 1274, 34.56, 1.234, 0.1821)],
                         ["19,753", "1,274", "34.6", "1.23", "0.182"])
        self.assertEqual(tables.figure(None), "–")

    def test_a_plot_is_xml_with_a_bar_for_each_figure(self):
        text = throughput_plot(netns_of(Summary().rows()), MACHINE)
        root = xml.etree.ElementTree.fromstring(text)
        rects = [each for each in root.iter() if each.tag.endswith("rect")]
        self.assertEqual(len(rects), 5)
        widths = [float(each.get("width")) for each in rects[:3]]
        self.assertAlmostEqual(widths[1] / widths[0], 0.25, places=2)

    def test_a_group_without_bars_is_drawn_all_the_same(self):
        self.assertIn("</svg>", bars.plot([bars.Group("a", "b", [])], "note"))


class Measures(unittest.TestCase):
    def test_have_names_of_their_own(self):
        self.assertEqual(len({measure.name for measure in MEASURES}), len(MEASURES))


if __name__ == "__main__":
    unittest.main()

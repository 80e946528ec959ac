"""From readings to a summary: medians of the rounds and their ratios. Arithmetic alone."""

import statistics

REFERENCE = "bare"
SUBJECT = "tapipop"


def median_of(readings: list, field: str):
    values = [getattr(reading, field) for reading in readings]
    return None if None in values else statistics.median(values)


def ratio(a, b):
    return a / b if a is not None and b else None


def summarise(measures, readings: dict) -> list:
    """A row for each measure: what each system reached, and how tapipop compares.

    `readings`: system → measure → Readings, one a round. A ratio is a value divided by a value,
    whether more or less is better."""
    rows = []
    for measure in measures:
        systems = {}
        for name, taken in readings.items():
            if measure.name in taken:
                systems[name] = system_row(taken[measure.name])
        medians = {name: row["median"] for name, row in systems.items()}
        for name, row in systems.items():
            row["to_bare"] = ratio(medians[name], medians.get(REFERENCE))
        rows.append({
            "measure": measure.name, "title": measure.title, "unit": measure.unit,
            "more_is_better": measure.more_is_better, "systems": systems,
            "tapipop_to": {name: ratio(medians.get(SUBJECT), value)
                           for name, value in medians.items() if name != SUBJECT},
        })
    return rows


def system_row(readings: list) -> dict:
    return {"median": median_of(readings, "value"),
            "values": [reading.value for reading in readings],
            "loss": median_of(readings, "loss"),
            "cpu_s": median_of(readings, "cpu_s"),
            "cores": statistics.median(reading.cpu_s / reading.wall_s if reading.wall_s else 0
                                       for reading in readings)}

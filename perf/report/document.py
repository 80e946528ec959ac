"""The whole report in Markdown: where, the tables of each part that was run, how to repeat it."""

from report import engine_alone, host_to_host, small_parts

PARTS = (("netns", host_to_host), ("pps", engine_alone), ("micro", small_parts))


def document(machine: dict, results: dict, command: str) -> str:
    parts = [
        "## Last results",
        f"{machine['date']}, commit {machine['commit'] or 'unknown'}: {machine['cpu']}, "
        f"{machine['cores']} cores, Linux {machine['kernel']}, {machine['system']}.",
    ]
    for name, part in PARTS:
        if name in results:
            parts += part.sections(results[name])
    parts += ["### To repeat it", f"    {command.strip()}",
              "On a machine that does nothing else: other work makes the figures worthless."]
    return "\n\n".join(parts) + "\n"

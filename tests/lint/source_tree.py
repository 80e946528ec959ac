"""The files a lint looks at: those that git knows or would take, relative to the root."""

import subprocess
from pathlib import Path, PurePosixPath


class SourceTree:
    def __init__(self, root: Path, files=None):
        self.root = root
        self.files = sorted(PurePosixPath(f) for f in (files or self._from_git()))

    def _from_git(self) -> list:
        # The clone may belong to another user than root, who runs the tests.
        text = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True).stdout
        return [name for name in text.split("\0") if name and (self.root / name).is_file()]

    def with_suffix(self, *suffixes) -> list:
        return [f for f in self.files if f.suffix in suffixes]

    def cpp(self) -> list:
        return self.with_suffix(".cpp", ".hpp")

    def text(self, file) -> str:
        return (self.root / file).read_text(encoding="utf-8", errors="replace")

    def lines(self, file) -> list:
        """(number, line) from 1."""
        return list(enumerate(self.text(file).splitlines(), 1))

"""What all rivals have in common: a Debian package, and programs that may be missing."""

import shutil
import subprocess

from netns.systems import System


class Rival(System):
    package = ""   # of Debian
    programs = ()  # all of them are needed

    def missing(self) -> str:
        """The programs that are not installed; empty if it can be measured."""
        return " ".join(program for program in self.programs if shutil.which(program) is None)

    def version(self) -> str:
        """Debian's, or nothing where the package is not Debian's."""
        outcome = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", self.package],
                                 capture_output=True, text=True, check=False)
        return outcome.stdout.strip() if outcome.returncode == 0 else ""

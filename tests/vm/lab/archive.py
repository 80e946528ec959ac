"""Writes an initramfs: a cpio archive of the "newc" form (the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst), uncompressed, which boots soonest."""

import stat
from pathlib import Path

MAGIC = "070701"
TRAILER = "TRAILER!!!"


class Archive:
    """The kernel takes entries in their order: a folder stands before what is in it."""

    def __init__(self, file: Path):
        self._out = open(file, "wb")
        self._number = 0
        self._folders = set()
        self._names = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._add(TRAILER, 0, b"")
        self._out.close()

    def folder(self, name: str) -> None:
        """With its parents."""
        parts = name.split("/")
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            if path not in self._folders:
                self._folders.add(path)
                self._add(path, stat.S_IFDIR | 0o755, b"")

    def file(self, name: str, content: bytes, mode: int = 0o755) -> None:
        self._put(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        self._put(name, stat.S_IFLNK | 0o777, target.encode())

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def _put(self, name: str, mode: int, content: bytes) -> None:
        if "/" in name:
            self.folder(name.rpartition("/")[0])
        self._names.add(name)
        self._add(name, mode, content)

    def _add(self, name: str, mode: int, content: bytes) -> None:
        self._number += 1
        path = name.encode() + b"\0"
        # Owner and group are root, the device numbers and the checksum stay 0.
        fields = [self._number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0]
        header = (MAGIC + "".join(f"{field:08x}" for field in fields)).encode()
        self._out.write(_padded(header + path))
        self._out.write(_padded(content))


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)

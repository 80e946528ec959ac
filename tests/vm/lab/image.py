"""What a guest boots: Debian's cloud kernel, and an initramfs with busybox, the programs of this
machine that tests need, and the tree's own ipopd and ipop. Made in the build tree, and again only
when something that goes in has changed.
"""

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from lab.archive import Archive
from rig import strongswan

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("IPOP_BUILD", "build")
HOME = BUILD / "vm"
# Where ./dev puts Debian packages that are unpacked here, and not installed.
PACKAGES = HOME / "packages"
GUEST = ROOT / "tests/vm/guest"
LIBRARIES = f"usr/lib/{platform.machine()}-linux-gnu"

MODULES = ["virtio_pci", "virtio_net", "vmxnet3", "vfio_iommu_type1", "vfio-pci",
           "uio_pci_generic", "tun",
           "wireguard",
           # ESP, and what the kernel's AES-GCM is made of.
           "esp4", "xfrm_user", "gcm", "ctr", "ghash-generic", "seqiv", "drbg", "sha512_generic"]
OURS = ["ipopd", "ipop"]
# Real programs: busybox has less able ones of some of these names, and its shell would prefer them.
PROGRAMS = ["dash", "ip", "ping", "wg", "iperf3", "kmod", "tcpdump",
            "ethtool", "/usr/lib/ipsec/charon", "swanctl"]
NOT_OF_BUSYBOX = {"busybox", "sh", "ash", "ip", "ping", "ping6", "modprobe", "insmod", "rmmod",
                  "lsmod", "depmod"}
PLUGINS = [Path(f"/usr/lib/ipsec/plugins/libstrongswan-{name}.so") for name in strongswan.PLUGINS]
# Opened at run time, so that ldd does not show it.
OPENED_LATER = [f"/{LIBRARIES}/libgcc_s.so.1"]
LOADER = "/lib64/ld-linux-x86-64.so.2"


class Image:
    """Paths to what QEMU starts."""

    def __init__(self):
        HOME.mkdir(parents=True, exist_ok=True)
        self.kernel = _unpacked("linux-image-*") / "vmlinuz"
        self._modules = self.kernel.parent / f"chosen-{_digest(MODULES)}"
        self._busybox = _unpacked("busybox-static") / "bin/busybox"
        if not self._modules.exists():
            _choose_modules(self.kernel.parent, self._modules)
        self.initramfs = HOME / f"initramfs-{self._key()}.cpio"
        if not self.initramfs.exists():
            for old in HOME.glob("initramfs-*"):
                old.unlink()
            # Under its own name only when it is whole.
            unfinished = self.initramfs.with_suffix(".part")
            self._write(unfinished)
            unfinished.rename(self.initramfs)

    def _key(self) -> str:
        """Changes when anything does that goes in."""
        files = [*_programs().values(), *PLUGINS, *GUEST.iterdir(), self._busybox, Path(__file__)]
        texts = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
        return _digest([*texts, str(self._modules)])

    def _write(self, file: Path) -> None:
        with Archive(file) as archive:
            for folder in ("dev", "proc", "sys", "run", "tmp", "etc/ipop", "var/lib", "root"):
                archive.folder(folder)
            archive.link("var/run", "../run")
            archive.file("etc/passwd", b"root:x:0:0::/root:/bin/sh\n", 0o644)
            archive.link(f"lib/{Path(LIBRARIES).name}", f"../{LIBRARIES}")
            self._add_programs(archive)
            for path in sorted(self._modules.rglob("*")):
                if path.is_file():
                    archive.file(str(path.relative_to(self._modules)), path.read_bytes(), 0o644)
            for script in sorted(GUEST.iterdir()):
                name = "init" if script.stem == "init" else f"bin/{script.stem}"
                archive.file(name, script.read_bytes())

    def _add_programs(self, archive: Archive) -> None:
        programs = _programs()
        for name, file in programs.items():
            archive.file(f"bin/{name}", _stripped(file) if name in OURS else file.read_bytes())
        for plugin in PLUGINS:
            archive.file(str(plugin)[1:], plugin.read_bytes())
        libraries = {word for file in [*programs.values(), *PLUGINS]
                     for word in _libraries_of(file)}
        for library in sorted(libraries | set(OPENED_LATER)):
            archive.file(f"{LIBRARIES}/{Path(library).name}", Path(library).resolve().read_bytes())
        archive.file(LOADER[1:], Path(LOADER).resolve().read_bytes())
        archive.link("bin/sh", "dash")
        for name in ("modprobe", "insmod", "rmmod", "lsmod", "depmod"):
            archive.link(f"sbin/{name}", "../bin/kmod")
        archive.file("bin/busybox", self._busybox.read_bytes())
        for name in _output(self._busybox, "--list").split():
            if name not in NOT_OF_BUSYBOX and f"bin/{name}" not in archive:
                archive.link(f"bin/{name}", "busybox")


def _digest(texts: list) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _programs() -> dict:
    found = {Path(name).name: shutil.which(name) for name in PROGRAMS}
    missing = [name for name, file in found.items() if file is None]
    if missing:
        raise RuntimeError(f"not installed: {' '.join(missing)}; ./dev test vm installs them")
    return {**{name: Path(file).resolve() for name, file in found.items()},
            **{name: BUILD / "app" / name for name in OURS}}


def _unpacked(package: str) -> Path:
    """The files of a package in PACKAGES; /vmlinuz is the kernel in it, if there is one."""
    files = sorted(PACKAGES.glob(f"{package}_*.deb"))
    if not files:
        raise RuntimeError(f"{PACKAGES} has no {package}; ./dev test vm downloads it")
    target = HOME / files[-1].stem
    if not target.exists():
        unfinished = HOME / "unpacking"
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run(["dpkg", "-x", files[-1], unfinished], check=True)
        for kernel in unfinished.glob("boot/vmlinuz-*"):
            kernel.rename(unfinished / "vmlinuz")
        unfinished.rename(target)
    return target


def _choose_modules(kernel: Path, target: Path) -> None:
    """MODULES and what they need, without what only a debugger reads."""
    version = next((kernel / "lib/modules").iterdir()).name
    subprocess.run(["/sbin/depmod", "-b", kernel, version], check=True)
    chosen = set()
    for module in MODULES:
        said = _output("/sbin/modprobe", "-d", kernel, "-S", version, "--show-depends", module)
        chosen |= {line.split()[1] for line in said.splitlines() if line.startswith("insmod ")}
    unfinished = target.with_suffix(".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    folder = unfinished / "lib/modules" / version
    (folder / "kernel").mkdir(parents=True)
    for file in sorted(chosen):
        subprocess.run(["strip", "--strip-debug", "-o", folder / "kernel" / Path(file).name, file],
                       check=True)
    for pattern in ("modules.order", "modules.builtin*"):
        for file in (kernel / "lib/modules" / version).glob(pattern):
            shutil.copy(file, folder)
    subprocess.run(["/sbin/depmod", "-b", unfinished, version], check=True)
    unfinished.rename(target)


def _libraries_of(program: Path) -> set:
    return {words[2] for words in (line.split() for line in _output("ldd", program).splitlines())
            if len(words) > 2 and words[1] == "=>" and words[2].startswith("/")}


def _stripped(program: Path) -> bytes:
    copy = HOME / f"{program.name}.stripped"
    subprocess.run(["strip", "-o", copy, program], check=True)
    content = copy.read_bytes()
    copy.unlink()
    return content


def _output(*command) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True,
                          text=True).stdout

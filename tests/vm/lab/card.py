"""Network cards that QEMU emulates, and that both DPDK and this lab can have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    device: str       # QEMU's name of it, with what a driver behind an IOMMU needs
    dpdk_driver: str
    kernel_module: str = ""  # "": the cloud kernel has none
    has_rx_interrupts: bool = True


VIRTIO = Card("virtio-net-pci,disable-legacy=on,iommu_platform=on", "net_virtio", "virtio_net")
VMXNET3 = Card("vmxnet3", "net_vmxnet3", "vmxnet3")
# An 82574L: its driver has receive interrupts, says so, and none ever comes.
E1000E = Card("e1000e", "net_e1000_em", "", has_rx_interrupts=False)

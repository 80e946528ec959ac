"""What can be wrong with a card: the daemon says so and ends, or does without; `ipop doctor` says
the same beforehand.

    alice 192.168.10.10 (10.77.0.1) ─ cable ─ bob 192.168.10.20 (10.77.0.2)
"""

from lab.card import VIRTIO, VMXNET3
from lab.machines import CARD_ADDRESS, PLUGGED_ADDRESS, Lab
from lab.node import GuestNode
from lab.two_nodes import dpdk_nodes, must_balance, must_ping, start_all, wire_section
from rig.cases import run_cases
from rig.conditions import expect

ENDS_S = 60


def one_node(lab: Lab, card, **options) -> GuestNode:
    guest = lab.guest("alice", card, **options)
    guest.await_boot()
    return GuestNode(guest, 10)


def must_refuse(node: GuestNode, device: str, *words: str, further: str = "",
                doctor_knows: bool = True) -> None:
    """The daemon ends with status 1 and says all of `words`, and so does the doctor."""
    section = wire_section(node.host.address, device)
    node.init(node.host, f"{section}\n{further}")
    node.launch()
    status = node.daemon.wait(ENDS_S)
    said = node.daemon.log()
    expect(status == 1, f"ipopd ended with {status}: {said[-300:]}")
    for word in words:
        expect(word in said, f'no "{word}" in: {said[-500:]}')
    if doctor_knows:
        must_diagnose(node, "wire", "problem", *words)
    links = node.host.run("ip", "link").stdout
    expect("tapipop" not in links, "an interface was left behind")


def must_diagnose(node: GuestNode, topic: str, level: str, *words: str) -> None:
    finding = node.doctor()[topic]
    expect(finding["level"] == level, f"the doctor: {finding}")
    text = f"{finding['text']}; {finding['advice']}"
    for word in words:
        expect(word in text, f'no "{word}" in what the doctor says of {topic}: {text}')


def test_a_card_that_is_not_there_or_is_the_kernels_is_refused(lab):
    node = one_node(lab, VIRTIO)
    must_refuse(node, "0000:00:1d.0", "0000:00:1d.0", "this machine has no PCI device of that")
    must_diagnose(node, "vfio", "note", "there is an IOMMU, but vfio-pci is not loaded",
                  "modprobe vfio-pci")
    must_diagnose(node, f"card {CARD_ADDRESS}", "good", "bound to no driver", "for DPDK net_virtio")
    must_refuse(node, CARD_ADDRESS, "no kernel driver hands it to programs",
                f"dpdk-devbind.py --bind=vfio-pci {CARD_ADDRESS}")
    node.host.script("modprobe virtio_pci; modprobe virtio_net")
    must_refuse(node, CARD_ADDRESS, "the kernel's driver virtio-pci holds it", "net_af_packet")
    must_diagnose(node, f"card {CARD_ADDRESS}", "good", "the kernel's, by virtio-pci",
                  "interface eth0")
    # As advised, and all is well.
    node.host.run("bind_card", "vfio-pci", CARD_ADDRESS)
    must_diagnose(node, f"card {CARD_ADDRESS}", "good", "handed over by vfio-pci (1af4:1041)")
    must_diagnose(node, "vfio", "good", "there is an IOMMU")
    node.init(node.host, wire_section(node.host.address))
    must_diagnose(node, "wire", "good", f"DPDK, {CARD_ADDRESS}")
    node.start()
    node.stop()


def test_a_card_without_an_iommu_is_refused_by_vfio_and_works_by_uio(lab):
    alice, bob = (GuestNode(guest, octet) for guest, octet in
                  zip(lab.pair(VMXNET3, iommu=False), (10, 20)))
    bound = alice.host.run("bind_card", "vfio-pci", CARD_ADDRESS, check=False)
    expect(bound.returncode != 0, "vfio-pci took a card without an IOMMU")
    must_refuse(alice, CARD_ADDRESS, "no kernel driver hands it to programs", "no IOMMU",
                "uio_pci_generic")
    must_diagnose(alice, "vfio", "note", "there is no IOMMU", "uio_pci_generic")
    for node, other in ((alice, bob), (bob, alice)):
        node.host.run("bind_card", "uio_pci_generic", CARD_ADDRESS)
        node.init(other.host, wire_section(node.host.address))
        must_diagnose(node, f"card {CARD_ADDRESS}", "good", "handed over by uio_pci_generic")
        must_diagnose(node, "wire", "good", CARD_ADDRESS)
    start_all(alice, bob)
    must_ping(alice, bob)
    for node in (alice, bob):
        must_balance(node)
        node.stop()
    # Without an IOMMU a card sees physical addresses, and only huge pages have fixed ones.
    alice.host.script("echo 0 > /proc/sys/vm/nr_hugepages")
    must_refuse(alice, CARD_ADDRESS, "without an IOMMU the card needs huge pages",
                "vm.nr_hugepages")


def test_a_machine_without_huge_pages_does_without(lab):
    alice, bob = dpdk_nodes(lab, VIRTIO, hugepages=0, memory_mb=640)
    must_diagnose(alice, "hugepages", "note", "none is free; the daemon does without")
    must_diagnose(alice, "wire", "good", CARD_ADDRESS)
    start_all(alice, bob)
    must_ping(alice, bob)
    for node in (alice, bob):
        must_balance(node)
        node.stop()


def test_too_few_huge_pages_are_left_alone_or_refused(lab):
    node = one_node(lab, VMXNET3, hugepages=3)
    node.host.run("bind_card", "vfio-pci", CARD_ADDRESS)
    must_refuse(node, CARD_ADDRESS, 'engine.hugepages is "require", but only 6 MB of the',
                "sysctl -w vm.nr_hugepages=", further="engine: {hugepages: require}",
                doctor_knows=False)
    node.init(node.host, wire_section(node.host.address))
    node.start()
    free = node.host.run("cat", "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages").stdout
    expect(free.strip() == "3", f"{free.strip()} of 3 huge pages are free")
    must_diagnose(node, "hugepages", "note", "6 MiB are free", "too few")
    node.stop()


def test_a_card_that_is_pulled_out_ends_the_daemon(lab):
    node = one_node(lab, VIRTIO, plugged=True)
    node.host.run("bind_card", "vfio-pci", PLUGGED_ADDRESS)
    node.init(node.host, wire_section(node.host.address, PLUGGED_ADDRESS))
    node.start()
    node.host.monitor.order("device_del", id="card")
    expect(node.daemon.wait(ENDS_S) == 1, "the daemon ended well")
    said = node.daemon.log()
    expect(f"wire.device {PLUGGED_ADDRESS} is gone" in said, said[-300:])
    # Only now can it be taken out.
    node.host.monitor.await_event("DEVICE_DELETED", 30)
    must_refuse(node, PLUGGED_ADDRESS, "this machine has no PCI device of that address")


if __name__ == "__main__":
    run_cases(globals(), Lab)

#!/bin/sh
# bind_card DRIVER ADDRESS: takes a PCI device from whoever has it, and gives it to vfio-pci or
# uio_pci_generic.
set -e
driver=$1 address=$2
[ "$driver" != vfio-pci ] || modprobe vfio_iommu_type1
modprobe "$driver"
device=/sys/bus/pci/devices/$address
[ ! -e "$device/driver" ] || echo "$address" >"$device/driver/unbind"
echo "$driver" >"$device/driver_override"
echo "$address" >/sys/bus/pci/drivers_probe
[ "$(basename "$(readlink "$device/driver")")" = "$driver" ]

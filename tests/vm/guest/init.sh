#!/bin/sh
# The guest's first process: mounts what programs expect, and takes orders until there are no more.
export PATH=/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t hugetlbfs hugetlbfs /dev/hugepages
ip link set lo up
# Of the kernel's command line, as words with "=" are that it does not know itself.
hostname "${guest:-guest}"
modprobe tun
agent
poweroff -f

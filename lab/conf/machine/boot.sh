#!/usr/bin/env bash
# Boots a root file system with systemd as its first process. Every change goes
# to the folder DIR; mounts, network, host name and processes are its own, and
# are gone with it.
# Usage: boot.sh ROOT DIR, and once more by itself, in its namespaces
set -euo pipefail
lower=$1 dir=$2 root=$2/root

if [ "${3:-}" != inside ]; then
	# A control group of its own: what systemd does with groups stays below it.
	for top in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ -e "$top/cgroup.procs" ] || continue
		mkdir -p "$top/voipd-lab"
		echo $$ >"$top/voipd-lab/cgroup.procs"
	done
	exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup --propagation private "$0" "$lower" "$dir" inside
fi

mkdir -p "$dir/up" "$dir/work" "$root"
mount -t overlay -o "lowerdir=$lower,upperdir=$dir/up,workdir=$dir/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
groups=$root/sys/fs/cgroup
if [ -e /sys/fs/cgroup/systemd ]; then
	mount -t tmpfs -o mode=755 tmpfs "$groups"
	mkdir "$groups/systemd"
	mount -t cgroup -o none,name=systemd cgroup "$groups/systemd"
else
	mount -t cgroup2 cgroup2 "$groups"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
	touch "$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --make-rshared "$root" # systemd makes mounts for a unit elsewhere, and they have to reach it
hostname pbx
cd "$root"
exec chroot "$root" env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no --log-target=journal

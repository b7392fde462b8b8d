# Put into the scripts of both packages: the user, the groups and the folders.
# systemd-sysusers is not everywhere (CentOS 7, images without systemd).
make_users() {
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers /usr/lib/sysusers.d/voipd.conf || true
	fi
	getent group asterisk >/dev/null || groupadd --system asterisk
	getent group voipd >/dev/null || groupadd --system voipd
	getent passwd voipd >/dev/null ||
		useradd --system --gid voipd --home-dir /var/lib/voipd --no-create-home --shell /usr/sbin/nologin --comment 'VoIP call records' voipd
	# As tmpfiles.d/voipd.conf has it, also where there is no systemd-tmpfiles.
	mkdir -p /etc/voipd
	chown root:voipd /etc/voipd
	chmod 0750 /etc/voipd
	if [ -f /etc/voipd/config.toml ] && [ ! -L /etc/voipd/config.toml ]; then
		chown root:voipd /etc/voipd/config.toml
		chmod 0640 /etc/voipd/config.toml
	fi
}

# What an admin is told after the first install.
say_what_next() {
	[ -e /etc/voipd/config.toml ] || echo 'voipd is installed and does not run yet. Now: sudo voipd init'
}

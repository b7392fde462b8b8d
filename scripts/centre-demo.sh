#!/usr/bin/env bash
# Starts a PostgreSQL of its own, a centre on it, and three voipds, each beside a fake PBX,
# that ship their records there; prints where to open the page. Ctrl-C ends all of it
# and leaves nothing behind.
# Usage: centre-demo.sh [--once]
#   --once  ends by itself once the records of all three are at the centre
set -euo pipefail
cd "$(dirname "$0")/.."
voipd=$PWD/bin/demo
address=127.0.0.1:8790

postgres=$(command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' | tail -1) || {
	echo 'centre-demo: PostgreSQL is missing: apt-get install --no-install-recommends postgresql' >&2
	exit 1
}
initdb=$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -1)

dir=$(mktemp -d /tmp/voipd-centre-XXXXXX)
running=()
end() {
	trap - EXIT INT TERM
	for ((i = ${#running[@]} - 1; i >= 0; i--)); do
		kill "${running[i]}" 2>/dev/null || true
		wait "${running[i]}" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap end EXIT
trap 'exit 0' INT TERM

# PostgreSQL does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
	chown postgres "$dir"
	as=(setpriv --reuid postgres --regid postgres --clear-groups)
fi
(cd / && "${as[@]}" "$initdb" -D "$dir/data" -A trust -U voipd -E UTF8 >"$dir/initdb.log")
(cd / && exec "${as[@]}" "$postgres" -D "$dir/data" -k "$dir" -c listen_addresses=) >"$dir/postgres.log" 2>&1 &
running+=($!)

printf '[database]\ndsn = "host=%s user=voipd dbname=postgres"\n[http]\nlisten = "%s"\n[log]\nlevel = "warn"\n' "$dir" "$address" >"$dir/centre.toml"
centre() { "$voipd" centre "$@" -c "$dir/centre.toml"; }
for ((i = 0; ; i++)); do
	! centre migrate >/dev/null 2>"$dir/migrate.log" || break
	[ "$i" -lt 100 ] || { cat "$dir/migrate.log" >&2; exit 1; }
	sleep 0.3
done
centre tenant add demo >/dev/null
token=$(centre token add demo people 2>/dev/null)
"$voipd" centre -c "$dir/centre.toml" &
running+=($!)
for ((i = 0; ; i++)); do
	! (exec 3<>"/dev/tcp/${address%:*}/${address#*:}") 2>/dev/null || break
	[ "$i" -lt 100 ] || { echo "centre-demo: the centre does not answer at $address" >&2; exit 1; }
	sleep 0.1
done
for pbx in berlin kazan riga; do
	code=$(centre edge add demo "$pbx" 2>/dev/null)
	"$voipd" demo --listen 127.0.0.1:0 --centre "http://$address" --code "$code" >"$dir/$pbx.log" &
	running+=($!)
	sleep 1 # their mornings are not the same to the second
done
cat <<END
open http://$address/ and sign in with this token: $token

  curl -s -H 'Authorization: Bearer $token' 'http://$address/v1/records?limit=3&pbx=kazan'
  curl -s -H 'Authorization: Bearer $token' http://$address/v1/pbxs

Calls of berlin, kazan and riga come in for a minute. Ctrl-C ends the demo.
END
if [ "${1:-}" = --once ]; then
	for ((i = 0; i < 240; i++)); do
		over=$(cat "$dir"/{berlin,kazan,riga}.log | grep -c 'The morning is over' || true)
		if [ "$over" = 3 ] && ! centre edge list demo | grep -qE 'behind|new|silent'; then
			centre edge list demo
			exit 0
		fi
		sleep 0.5
	done
	echo 'centre-demo: the records have not come within two minutes' >&2
	exit 1
fi
wait

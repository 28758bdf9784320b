#!/usr/bin/env bash
# PgBouncer in transaction mode: four clients interleave over two connections to the endpoint.
set -uo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
cp "$PGSSLROOTCERT" "$folder/ca.pem"
chmod 644 "$folder/ca.pem"
port=$((20000 + RANDOM % 20000))
printf '"postgres" "%s"\n' "$PGPASSWORD" >"$folder/users.txt"
cat >"$folder/pgbouncer.ini" <<INI
[databases]
pooled = host=$PGHOST port=$PGPORT dbname=md: user=postgres password=$PGPASSWORD
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = plain
auth_file = $folder/users.txt
pool_mode = transaction
default_pool_size = 2
server_tls_sslmode = verify-full
server_tls_ca_file = $folder/ca.pem
ignore_startup_parameters = extra_float_digits,options
INI
chmod 644 "$folder/users.txt" "$folder/pgbouncer.ini"
user=()
[ "$(id -u)" = 0 ] && user=(-u nobody)
pgbouncer -q "${user[@]}" "$folder/pgbouncer.ini" >"$folder/log" 2>&1 &
bouncer=$!
trap 'kill $bouncer 2>/dev/null; wait $bouncer 2>/dev/null; rm -rf "$folder"' EXIT
for _ in $(seq 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break || sleep 0.1; done
BOUNCER_PORT=$port BOUNCER_LOG=$folder/log /usr/bin/python3 "$(dirname "$0")/pgbouncer_client.py"

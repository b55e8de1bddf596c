#!/usr/bin/env bash
#
# postgres_fdw of PostgreSQL 15 in front of a partitioned table: one row is
# updated, three are changed.
#
# A condition that cannot be sent (here random() >= 0, which holds for all rows) makes
# postgres_fdw read the rows first and address those to change by their ctid.
# A ctid tells rows of one table apart; the rows of partitions have the same ones.
#
# Guessed: the other partitions' rows are hit, too, as the documentation of
# ctid suggests; and the command's count tells so.
#
# Seen: they are hit, and UPDATE and DELETE still report one row, as does RETURNING, so
# that nothing of it shows on the side where the statement was written.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

skip() {
	echo "skipped: $1"
	exit 77
}
dir=$(mktemp -d)
bin=$dir/root/usr/lib/postgresql/15/bin
stop() {
	[ ! -e "$dir/data/postmaster.pid" ] || "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null
	rm -rf "$dir"
}
as=()
trap stop EXIT
cd "$dir"
mkdir root
apt-get download -qq postgresql-15 postgresql-client-15 libpq5 >/dev/null 2>&1 || skip "the packages cannot be had"
for deb in ./*.deb; do
	dpkg -x "$deb" root
done
export LD_LIBRARY_PATH=$dir/root/usr/lib/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
"$bin/postgres" --version >version 2>/dev/null || skip "a library that PostgreSQL needs is missing"
cat version

# PostgreSQL does not run as root
if [ "$(id -u)" = 0 ]; then
	chown nobody "$dir"
	as=(setpriv --reuid=nobody "--regid=$(id -g nobody)" --clear-groups env -C "$dir" "HOME=$dir")
fi
"${as[@]}" "$bin/initdb" -D "$dir/data" -U owner -A trust --no-sync --no-locale >initdb.log
"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -o "-c listen_addresses= -k $dir" -l "$dir/server.log" -w start >/dev/null
"$bin/psql" -XqAt -h "$dir" -U owner -d postgres >seen <<END
CREATE EXTENSION postgres_fdw;
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$dir', dbname 'postgres');
CREATE USER MAPPING FOR CURRENT_USER SERVER here OPTIONS (user 'owner');
CREATE TABLE orders (id integer, state text) PARTITION BY LIST (id);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES IN (2);
CREATE TABLE orders_3 PARTITION OF orders FOR VALUES IN (3);
INSERT INTO orders VALUES (1, 'new'), (2, 'new'), (3, 'new');
CREATE FOREIGN TABLE remote_orders (id integer, state text) SERVER here OPTIONS (table_name 'orders');
\set QUIET off
UPDATE remote_orders SET state = 'paid' WHERE id = 1 AND random() >= 0;
\set QUIET on
SELECT 'paid: ' || string_agg(id::text, ' ' ORDER BY id) FROM orders WHERE state = 'paid';
\set QUIET off
DELETE FROM remote_orders WHERE id = 1 AND random() >= 0;
\set QUIET on
SELECT 'left: ' || count(*) FROM orders;
END
cat seen
printf 'UPDATE 1\npaid: 1 2 3\nDELETE 1\nleft: 0\n' | cmp -s - seen

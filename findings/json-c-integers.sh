#!/usr/bin/env bash
#
# json-c 0.16 (Debian bookworm) and 0.18 (trixie): integers of more than 64 bits.
#
# JSON has numbers of any size, and json-c reads 1e20 as a double.
#
# Guessed: an integer that fits neither int64 nor uint64 is read as a double, too, or refused.
#
# Seen: it becomes the nearest of the two types' ends, without an error, and is written
# so: 18446744073709551616 and 123456789012345678901234567890 come out as
# 18446744073709551615, -9223372036854775809 as -9223372036854775808.  Even
# json_object_get_double() gives 1.8e19 for a number of 1.2e29.  The same number with ".0"
# is kept.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/debian.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/debian.sh"
unpack bookworm libjson-c5 libjson-c-dev
unpack trixie libjson-c5 libjson-c-dev

cat >integers.c <<'END'
#include <json-c/json.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
	{
		struct json_object *number = json_tokener_parse(argv[i]);

		printf("%s%s %g", i > 1 ? ", " : "", json_object_to_json_string(number), json_object_get_double(number));
		json_object_put(number);
	}
	printf("\n");
	fprintf(stderr, "%s", json_c_version());
	return 0;
}
END
gcc -o integers integers.c -Ibookworm/root/usr/include bookworm/root/usr/lib/x86_64-linux-gnu/libjson-c.so.5 -Wl,--allow-shlib-undefined

failed=0
for suite in bookworm trixie; do
	seen=$(run_with "$suite" ./integers 18446744073709551616 123456789012345678901234567890 -9223372036854775809 123456789012345678901234567890.0 2>version)
	printf '%s: %s\n' "$(cat version)" "$seen"
	[ "$seen" = "18446744073709551615 1.84467e+19, 18446744073709551615 1.84467e+19, -9223372036854775808 -9.22337e+18, 123456789012345678901234567890.0 1.23457e+29" ] || failed=1
done
exit $failed

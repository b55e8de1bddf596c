#!/usr/bin/env bash
#
# libcurl 8.14.1 (Debian trixie) against 7.88.1 (bookworm): what an easy handle
# keeps when its transfer is over.
#
# Guessed: the same few kB in both, for the transfer's buffers are freed with it
# and nothing was uploaded.
#
# Seen: a handle that has sent a body of two bytes keeps 64 kB more in 8.14, the
# size of CURLOPT_UPLOAD_BUFFERSIZE: after the reply, after it has been removed from its
# multi handle and after curl_easy_reset(), until it is cleaned up.  With that
# option at its least, 16384, it is 16 kB.  A handle that has sent none keeps
# nothing of the kind.  Who keeps finished handles, for their replies or to use
# them again, keeps that for each.
#
# Exit status: 0 as seen, 1 otherwise, 77 when the packages cannot be had.
set -euo pipefail

# shellcheck source=findings/lib/debian.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/debian.sh"
unpack bookworm libcurl4 libcurl4-openssl-dev
unpack trixie libcurl4t64 libcurl4-openssl-dev

cat >handles.c <<'END'
#include <arpa/inet.h>
#include <curl/curl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDLES 100

/* A server of one connection that answers whatever comes in one piece */
static void *
serve(void *arg)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	char request[8192];
	int connection = accept(*(int *) arg, NULL, NULL);

	while (read(connection, request, sizeof(request)) > 0)
		if (write(connection, reply, sizeof(reply) - 1) < 0)
			break;
	return NULL;
}

static size_t
ignore(char *data, size_t size, size_t n, void *arg)
{
	return size * n;
}

static long
in_use(void)
{
	return (long) mallinfo2().uordblks;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), running;
	pthread_t thread;
	char url[64];
	CURL *easy[HANDLES + 1];
	CURLM *multi;
	long before = 0;

	bind(listener, (struct sockaddr *) &address, len);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *) &address, &len);
	pthread_create(&thread, NULL, serve, &listener);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(address.sin_port));

	curl_global_init(CURL_GLOBAL_ALL);
	multi = curl_multi_init();
	for (int i = 0; i <= HANDLES; i++)
	{
		/* the first one makes the connection, which all use */
		if (i == 1)
			before = in_use();
		easy[i] = curl_easy_init();
		curl_easy_setopt(easy[i], CURLOPT_URL, url);
		curl_easy_setopt(easy[i], CURLOPT_PROXY, "");
		curl_easy_setopt(easy[i], CURLOPT_WRITEFUNCTION, ignore);
		if (strcmp(argv[1], "GET") != 0)
			curl_easy_setopt(easy[i], CURLOPT_POSTFIELDS, "{}");
		if (argc > 2)
			curl_easy_setopt(easy[i], CURLOPT_UPLOAD_BUFFERSIZE, atol(argv[2]));
		curl_multi_add_handle(multi, easy[i]);
		do
		{
			curl_multi_perform(multi, &running);
			if (running)
				curl_multi_poll(multi, NULL, 0, 100, NULL);
		} while (running);
		curl_multi_remove_handle(multi, easy[i]);
		curl_easy_reset(easy[i]);
	}
	printf("%ld\n", (in_use() - before) / HANDLES);
	fprintf(stderr, "%s\n", curl_version());
	return 0;
}
END
bookworm=bookworm/root/usr/lib/x86_64-linux-gnu
gcc -O1 -o handles handles.c -Ibookworm/root/usr/include/x86_64-linux-gnu "$bookworm/libcurl.so.4" -Wl,--allow-shlib-undefined -lpthread

kept() { # SUITE METHOD [SIZE]
	local suite=$1
	shift
	run_with "$suite" ./handles "$@" 2>version
}
failed=0
expect() { # LEAST MOST SUITE METHOD [SIZE]
	local least=$1 most=$2 bytes
	shift 2
	bytes=$(kept "$@") || bytes=-1
	printf '%-10s %-4s %6s: %6d bytes a handle (%s)\n' "$1" "$2" "${3:-}" "$bytes" "$(cut -d' ' -f1 version)"
	[ "$bytes" -ge "$least" ] && [ "$bytes" -le "$most" ] || failed=1
}
expect 1000 20000 bookworm GET
expect 1000 20000 bookworm POST
expect 1000 20000 trixie GET
expect 65536 90000 trixie POST
expect 16384 36000 trixie POST 16384
exit $failed

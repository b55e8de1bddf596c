/*
 * allowed_host.c
 *		Which hosts may get an API key: those that the settings name, and no others,
 *		whatever a server's options or the control plane say.
 */
#include "postgres.h"

#include <arpa/inet.h>

#include "base/setting.h"
#include "client/allowed_host.h"
#include "client/problem.h"

/* The host name or address in a URL, without port and brackets. */
static char *
host_in_url(const char *url)
{
	const char *start = strstr(url, "://");
	const char *end;

	start = start ? start + 3 : url;
	if (*start == '[')
	{
		start++;
		end = strchr(start, ']');
		return end ? pnstrdup(start, end - start) : pstrdup(start);
	}
	return pnstrdup(start, strcspn(start, ":/?#"));
}

static bool
host_is_loopback(const char *host)
{
	struct in_addr address;

	if (pg_strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* Does a host match one of the patterns "name" or "*.suffix"? */
static bool
host_matches(const char *host, const char *patterns)
{
	char *copy = pstrdup(patterns ? patterns : "");
	char *save = NULL;

	for (char *pattern = strtok_r(copy, ", \t", &save); pattern;
		 pattern = strtok_r(NULL, ", \t", &save))
	{
		size_t plen = strlen(pattern);
		size_t hlen = strlen(host);

		if (strcmp(pattern, "*") == 0 || pg_strcasecmp(pattern, host) == 0)
			return true;
		if (pattern[0] == '*' && pattern[1] == '.' && hlen >= plen &&
			pg_strcasecmp(host + hlen - (plen - 1), pattern + 1) == 0)
			return true;
	}
	return false;
}

char *
pinecone_allowed_url(const char *host, PineconeProblem **refused)
{
	char *name = host_in_url(host);
	bool plain = pg_strncasecmp(host, "http://", 7) == 0;
	bool local = host_is_loopback(name) && pinecone_allow_loopback;

	if (!local && !host_matches(name, pinecone_allowed_hosts))
	{
		*refused = pinecone_problem_refusal(psprintf("host \"%s\" may not be sent an API key", name),
											host_is_loopback(name) ? "A superuser can allow it with pinecone_fdw.allow_loopback or pinecone_fdw.allowed_hosts." :
																	 "A superuser can allow it with pinecone_fdw.allowed_hosts.");
		return NULL;
	}
	if (plain && !local && !host_matches(name, pinecone_allow_http_hosts))
	{
		*refused = pinecone_problem_refusal(psprintf("host \"%s\" may not be talked to without TLS", name),
											"Write https:// before the host, or nothing; a superuser can allow plain HTTP with pinecone_fdw.allow_http_hosts.");
		return NULL;
	}
	return psprintf("%s://%s", plain ? "http" : "https",
					strstr(host, "://") ? strstr(host, "://") + 3 : host);
}

bool
pinecone_allowed_is_loopback(const char *url)
{
	return host_is_loopback(host_in_url(url));
}

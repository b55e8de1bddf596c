/*
 * route.c
 *		What a URL says of the way to it, and the addresses of the names on that way.
 */
#include "postgres.h"

#include "client/dns_lookup.h"
#include "client/route.h"

/* What libcurl takes for a proxy's port when its URL has none */
#define PROXY_PORT 1080

static bool
begins_with(const char *text, const char *start)
{
	return pg_strncasecmp(text, start, strlen(start)) == 0;
}

/* The host and port of "[scheme://][user@]host[:port][/...]" */
static void
add_place(PineconeRoute *route, const char *url, int port)
{
	const char *scheme = strstr(url, "://");
	const char *start = scheme ? scheme + 3 : url;
	const char *end = start + strcspn(start, "/?#");
	const char *colon;

	for (const char *p = end; p > start; p--)
	{
		if (p[-1] == '@')
		{
			start = p;
			break;
		}
	}
	if (*start == '[')
	{
		start++;
		colon = strchr(start, ']');
		if (colon == NULL || colon > end)
			return;
		route->names[route->n] = pnstrdup(start, colon - start);
		colon++;
	}
	else
	{
		colon = start + strcspn(start, ":/?#");
		route->names[route->n] = pnstrdup(start, colon - start);
	}
	route->ports[route->n] = colon < end && *colon == ':' ? atoi(colon + 1) : port;
	if (route->names[route->n][0] != '\0')
		route->n++;
}

/* The first of these variables that is set, and not empty */
static const char *
environment(const char *const *names)
{
	for (; *names; names++)
	{
		const char *value = getenv(*names);

		if (value != NULL && value[0] != '\0')
			return value;
	}
	return NULL;
}

/* Is a host one of a list, or below one of its domains? */
static bool
is_listed(const char *host, const char *list)
{
	char *copy = pstrdup(list);
	char *save = NULL;
	size_t len = strlen(host);

	for (char *one = strtok_r(copy, ", ", &save); one != NULL; one = strtok_r(NULL, ", ", &save))
	{
		size_t n;

		if (strcmp(one, "*") == 0)
			return true;
		one += *one == '.';
		n = strlen(one);
		if (n > 0 && n <= len && pg_strcasecmp(host + len - n, one) == 0 &&
			(n == len || host[len - n - 1] == '.'))
			return true;
	}
	return false;
}

void
pinecone_route_find(const char *url, PineconeRoute *route)
{
	static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	static const char *const exceptions[] = {"no_proxy", "NO_PROXY", NULL};
	bool tls = begins_with(url, "https:");
	const char *proxy = tls ? environment(proxies) : NULL;
	const char *except;

	route->n = 0;
	add_place(route, url, tls ? 443 : 80);
	if (proxy == NULL || route->n == 0)
		return;
	except = environment(exceptions);
	if (except != NULL && is_listed(route->names[0], except))
		return;

	/* most proxies look the host up themselves */
	if (!begins_with(proxy, "socks4://") && !begins_with(proxy, "socks5://"))
		route->n = 0;
	add_place(route, proxy, begins_with(proxy, "https:") ? 443 : PROXY_PORT);
}

const char *
pinecone_route_target(const char *url)
{
	const char *authority = strstr(url, "://");
	const char *target = authority ? strchr(authority + 3, '/') : NULL;

	return target ? target : "/";
}

bool
pinecone_route_addresses(const PineconeRoute *route, PineconeTime waiting_since, char **lines,
						 int *nlines, const char **failed)
{
	*failed = NULL;
	*nlines = 0;
	for (int i = 0; i < route->n; i++)
	{
		const char *text;

		switch (pinecone_address_find(route->names[i], waiting_since, &text))
		{
			case PINECONE_ADDRESS_KNOWN:
				break;
			case PINECONE_ADDRESS_FAILED:
				*failed = psprintf("Could not resolve host %s: %s", route->names[i], text);
				return false;
			default:
				return false;
		}
		if (text[0] != '\0')
			lines[(*nlines)++] = psprintf("%s:%d:%s", route->names[i], route->ports[i], text);
	}
	return true;
}

void
pinecone_route_forget(const PineconeRoute *route)
{
	for (int i = 0; i < route->n; i++)
		pinecone_address_forget(route->names[i]);
}

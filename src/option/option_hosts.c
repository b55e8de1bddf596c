/*
 * option_hosts.c
 *		Hosts and regions are taken apart, and looked at.
 *
 * An entry of hosts may say where its host is, as in "aws:eu-west-1=HOST".
 */
#include "postgres.h"

#include "option/option_hosts.h"

static void
reject(const char *option, const char *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for option \"%s\": \"%s\"", option, value),
			 errhint("%s", hint)));
}

/* The next entry of a list, without the blanks around it; false at its end. */
static bool
next_entry(const char **rest, char **entry)
{
	const char *start = *rest;
	const char *end;

	if (start == NULL)
		return false;
	end = start + strcspn(start, ",");
	*rest = *end == ',' ? end + 1 : NULL;
	while (start < end && isspace((unsigned char) *start))
		start++;
	while (end > start && isspace((unsigned char) end[-1]))
		end--;
	*entry = pnstrdup(start, end - start);
	return true;
}

/* ---- Regions ---- */

static bool
is_word(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* [cloud:]region, in small letters */
static bool
read_region(const char *text, PineconeRegion *region)
{
	const char *colon = strchr(text, ':');

	region->cloud = colon ? pnstrdup(text, colon - text) : NULL;
	region->name = pstrdup(colon ? colon + 1 : text);
	return (region->cloud == NULL || is_word(region->cloud)) && is_word(region->name);
}

char *
pinecone_region_text(const PineconeRegion *region)
{
	return region->cloud ? psprintf("%s:%s", region->cloud, region->name) : pstrdup(region->name);
}

PineconeRegions *
pinecone_regions_parse(const char *option, const char *value)
{
	static const char hint[] = "Regions are needed, separated by commas, as in 'us-east-1, aws:eu-west-1'.";
	PineconeRegions *list = palloc0(sizeof(PineconeRegions));
	const char *rest = value;
	char *entry;

	list->regions = palloc0((strlen(value) / 2 + 1) * sizeof(PineconeRegion));
	while (next_entry(&rest, &entry))
	{
		if (!read_region(entry, &list->regions[list->n]))
			reject(option, value, hint);
		for (int i = 0; i < list->n; i++)
		{
			if (strcmp(pinecone_region_text(&list->regions[i]), entry) == 0)
				reject(option, value, "A region comes twice.");
		}
		list->n++;
	}
	return list;
}

/* ---- Hosts ---- */

/* [http[s]://]name[:port], nothing else */
bool
pinecone_option_host_is_valid(const char *host)
{
	const char *name = host;
	const char *end;

	if (pg_strncasecmp(host, "http://", 7) == 0)
		name = host + 7;
	else if (pg_strncasecmp(host, "https://", 8) == 0)
		name = host + 8;
	if (*name == '[')
	{
		end = name + 1 + strspn(name + 1, "0123456789abcdefABCDEF:.");
		if (*end != ']' || end == name + 1)
			return false;
		end++;
	}
	else
	{
		end = name + strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
		if (end == name)
			return false;
	}
	if (*end == ':')
	{
		const char *port = end + 1;

		end = port + strspn(port, "0123456789");
		if (end == port || end - port > 5 || atoi(port) < 1 || atoi(port) > 65535)
			return false;
	}
	return *end == '\0';
}

const char *
pinecone_host_plain(const char *host)
{
	return pg_strncasecmp(host, "https://", 8) == 0 ? host + 8 : host;
}

static bool
same_host(const char *a, const char *b)
{
	return a != NULL && b != NULL && pg_strcasecmp(pinecone_host_plain(a), pinecone_host_plain(b)) == 0;
}

/* Add one host of the list to those that there are. */
static void
add_host(PineconeHosts *list, const char *option, const char *value, const char *entry)
{
	PineconeRegion region = {NULL, NULL};
	const char *sign = strchr(entry, '=');
	const char *host = sign ? sign + 1 : entry;

	while (isspace((unsigned char) *host))
		host++;
	if (sign != NULL)
	{
		int len = sign - entry;

		while (len > 0 && isspace((unsigned char) entry[len - 1]))
			len--;
		if (!read_region(pnstrdup(entry, len), &region))
			reject(option, value, "What comes before \"=\" has to be the host's region, as in 'aws:eu-west-1=HOST'.");
	}
	if (!pinecone_option_host_is_valid(host))
		reject(option, value, "Hosts are needed, separated by commas, each a name or an address, with https:// or http:// and :port if need be.");
	for (int i = 0; i < list->n; i++)
	{
		if (same_host(list->hosts[i], host))
			reject(option, value, psprintf("Host \"%s\" comes twice; that of option \"host\" is the first by itself.", host));
	}
	if (list->n == PINECONE_MAX_HOSTS)
		reject(option, value, psprintf("There may be %d hosts at most.", PINECONE_MAX_HOSTS));
	list->regions[list->n] = region;
	list->hosts[list->n++] = pstrdup(host);
}

PineconeHosts *
pinecone_hosts_parse(const char *option, const char *value, const char *host, bool by_index)
{
	PineconeHosts *list = palloc0(sizeof(PineconeHosts));
	const char *rest = value;
	char *entry;

	if (host != NULL || by_index)
		list->hosts[list->n++] = host ? pstrdup(host) : NULL;
	while (next_entry(&rest, &entry))
		add_host(list, option, value, entry);
	return list;
}

void
pinecone_hosts_validate(const char *option, const char *value)
{
	(void) pinecone_hosts_parse(option, value, NULL, false);
}

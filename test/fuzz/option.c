/*
 * option.c
 *		Target "option": the validator, of an option on any object; what it takes is
 *		read again as the program would.  Target "host": what we take for a host's
 *		name is what libcurl does.
 *
 * An option is three lines: object, name, value.
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/rate_limits.h"
#include "client/allowed_host.h"
#include "client/problem.h"
#include "base/setting.h"
#include "option/option_hosts.h"
#include "option/option_list.h"
#include "option/option_value.h"
#include "wire/message.h"

extern Datum pinecone_fdw_validator(PG_FUNCTION_ARGS);

static Oid
catalog_of(const char *object)
{
	switch (object[0])
	{
		case 's':
			return ForeignServerRelationId;
		case 'm':
			return UserMappingRelationId;
		case 't':
			return ForeignTableRelationId;
		default:
			return AttributeRelationId;
	}
}

static void
validate(Oid catalog, const char *name, const char *value)
{
	Datum option = CStringGetTextDatum(psprintf("%s=%s", name, value));
	ArrayType *array = construct_array(&option, 1, TEXTOID, -1, false, TYPALIGN_INT);

	(void) DirectFunctionCall2(pinecone_fdw_validator, PointerGetDatum(array), ObjectIdGetDatum(catalog));
}

static void
check_names(const char *value)
{
	int n;
	char **names = pinecone_option_names(value, &n);

	FUZZ_CHECK(n > 0, "a list of no namespaces");
	for (int i = 0; i < n; i++)
	{
		FUZZ_CHECK(pinecone_option_namespace_is_valid(names[i]), "no namespace's name");
		FUZZ_CHECK(i == 0 || strcmp(names[i - 1], names[i]) < 0, "names are not sorted, or occur twice");
	}
}

static void
check_rates(const char *value)
{
	PineconeRateLimits rates;
	char *reason = NULL;

	if (!pinecone_rate_parse(value, &rates, &reason))
		FUZZ_CHECK(reason != NULL, "rates are refused without a reason");
	else
	{
		for (int i = 0; i < PINECONE_RATE_KINDS; i++)
			FUZZ_CHECK(rates.limits[i] >= 0 && rates.limits[i] <= 1000000, "a rate of %g", rates.limits[i]);
	}
}

/* The text of a schema, and the schema itself: it has to be whole, and copies as it is. */
static void
check_schema(const char *value)
{
	size_t size = strlen(value);
	char *body = fuzz_body(value, size);
	PineconeSchema *schema = NULL;
	PineconeSchema *integrated = pinecone_message_decode_integrated(body, size);
	const char *reason = NULL;

	if (integrated != NULL)
		FUZZ_CHECK(integrated->n == 1 && integrated->fields[0].name != NULL, "a text without a name");
	if (!pinecone_message_decode_schema(body, size, &schema, &reason))
		FUZZ_CHECK(reason != NULL, "a schema is refused without a reason");
	if (schema == NULL)
		return;
	FUZZ_CHECK(schema->n > 0 && schema->hash != 0, "a schema without fields");
	for (int i = 0; i < schema->n; i++)
	{
		PineconeSchemaField *field = &schema->fields[i];

		fuzz_touch(field->name);
		fuzz_touch(field->description);
		fuzz_touch(field->language);
		FUZZ_CHECK(field->dimension >= 0, "a negative dimension");
		FUZZ_CHECK(pinecone_schema_field(schema, field->name) != NULL, "a field is not found");
	}
	FUZZ_CHECK(pinecone_schema_copy(schema)->hash == schema->hash, "a copy has another hash");
	(void) pinecone_schema_is_mentioned(schema, value);
}

void
fuzz_option(const char *data, size_t size)
{
	char *text;
	char *save = NULL;
	char *object;
	char *name;
	char *value;

	if (!fuzz_is_text(data, size))
		return;
	text = pnstrdup(data, size);
	object = strtok_r(text, "\n", &save);
	name = strtok_r(NULL, "\n", &save);
	value = save;
	if (object == NULL || name == NULL || value == NULL || strchr(name, '=') != NULL)
		return;
	if (strcmp(name, "rate_limits") == 0)
		check_rates(value);
	if (strcmp(name, "schema") == 0)
		check_schema(value);
	/* those that raise an error come last */
	validate(catalog_of(object), name, value);
	if (strcmp(name, "namespaces") == 0)
		check_names(value);
}

/* ---- Hosts ---- */

static char *
curl_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	char *copy;

	if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
		return NULL;
	copy = pstrdup(text);
	curl_free(text);
	return copy;
}

/* Where libcurl would go with a URL, and nothing but a host and a port in it */
static char *
host_of_curl(const char *text)
{
	CURLU *url = curl_url();
	char *host = NULL;

	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
	{
		host = curl_part(url, CURLUPART_HOST);
		FUZZ_CHECK(curl_part(url, CURLUPART_USER) == NULL && curl_part(url, CURLUPART_QUERY) == NULL &&
				   curl_part(url, CURLUPART_FRAGMENT) == NULL && strcmp(curl_part(url, CURLUPART_PATH), "/") == 0,
				   "a host has more in it: %s", text);
	}
	curl_url_cleanup(url);
	return host;
}

static bool
is_loopback(const char *host)
{
	struct in_addr address;

	return pg_strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
		   (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

/*
 * A host that is allowed by its name, and then asked by libcurl: under settings
 * that allow this host alone libcurl must not see another one.
 */
void
fuzz_host(const char *data, size_t size)
{
	static char allowed[] = "*.pinecone.io, api.example.com";
	char *host;
	char *url;
	PineconeProblem *refused = NULL;

	if (!fuzz_is_text(data, size))
		return;
	host = pnstrdup(data, size);
	if (!pinecone_option_host_is_valid(host))
		return;
	pinecone_allowed_hosts = allowed;
	pinecone_allow_http_hosts = allowed;
	pinecone_allow_loopback = true;
	url = pinecone_allowed_url(host, &refused);
	FUZZ_CHECK((url == NULL) == (refused != NULL), "a host is neither allowed nor refused");
	if (url == NULL)
		return;
	FUZZ_CHECK(strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0, "no URL: %s", url);
	host = host_of_curl(url);
	if (host == NULL)
		return;
	FUZZ_CHECK(pinecone_allowed_is_loopback(url) == is_loopback(host), "libcurl goes to %s with %s", host, url);
	if (!pinecone_allowed_is_loopback(url))
		FUZZ_CHECK(pg_strcasecmp(host, "api.example.com") == 0 ||
				   (strlen(host) >= 12 && pg_strcasecmp(host + strlen(host) - 12, ".pinecone.io") == 0),
				   "libcurl goes to %s with %s", host, url);
}

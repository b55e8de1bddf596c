/*
 * decode.c
 *		Replies cut short at every byte, and replies with bytes changed, through
 *		the decoder: on malloc, so that sanitizers see every read.
 *
 *	decode [rounds [seed]]
 *
 * Ends with "N passed, N failed".
 */
#include "postgres.h"

#include <math.h>

#include "../../src/wire/decode.h"
#include "../../src/wire/scanner.h"
#include "backend.h"

/* What http.c leaves readable behind a body, its NUL included */
#define BODY_PADDING 64

static const char *const replies[] = {
	"{\"results\":[],\"matches\":[{\"id\":\"a\",\"score\":0.891132772,\"values\":[0.1,-2.5e-3,1,0,-0,1e-46,3.4028235e38],"
	"\"sparseValues\":{\"indices\":[1,4294967295],\"values\":[0.5,-1]},\"metadata\":{\"genre\":[\"a\",\"b\\n\\u00e9\\ud83d\\ude00\"],\"year\":2020,\"ok\":true,\"x\":null}},"
	"{\"id\":\"b\\/\\\"\",\"score\":-1}],\"namespace\":\"ns\",\"usage\":{\"readUnits\":6}}",
	"{\"vectors\":{\"id1\":{\"id\":\"id1\",\"values\":[1.5,0.12345678901234567890123,123456789012345678901234567890]},"
	"\"id2\":{\"id\":\"id2\",\"values\":[],\"metadata\":{\"t\":\"x\\\\y\",\"l\":[],\"z\\u0000\":\"\\ud800 \xc3\xa9\",\"o\":{\"\\udc00\":[{\"a\":\"\\u0000\"}]},\"e\":\"\",\"n\":-1.5E+10}}},\"namespace\":\"\",\"usage\":{\"readUnits\":1}}",
	" { \"vectors\" : [ { \"id\" : \"a\" } , {\"id\":\"b\"} ] , \"pagination\" : { \"next\" : \"dG9rZW4=\" } , \"namespace\":\"ns\" } ",
	"{\"vectors\":[],\"pagination\":null,\"usage\":null,\"more\":[1,[2,{\"a\":[true,false,null]}]]}",
	"{\"matches\":[{\"id\":\"\xc3\xa9\xf0\x9f\x98\x80\",\"score\":1,\"values\":null,\"sparseValues\":null,\"metadata\":null}]}",
};

static int passed = 0;
static int failed = 0;

static void
check(bool good, const char *what, const char *body, size_t len)
{
	if (good)
	{
		passed++;
		return;
	}
	failed++;
	fprintf(stderr, "not ok: %s: %.*s\n", what, (int) len, body);
}

/* Read every byte that a value hands out. */
static size_t
touch_value(const PineconeValue *value)
{
	size_t sum = value->text ? strlen(value->text) : 0;

	for (int i = 0; i < value->nitems; i++)
		sum += touch_value(&value->items[i]);
	return sum;
}

static size_t
touch_record(const PineconeRecord *record)
{
	PineconeFields *fields = NULL;
	const char *reason = NULL;
	size_t sum = strlen(record->id);

	for (int i = 0; i < record->nvalues; i++)
	{
		if (!isfinite(record->values[i]))
			abort();
		sum += record->values[i] != 0;
	}
	for (int i = 0; i < record->sparse.n; i++)
		sum += record->sparse.indices[i] + (record->sparse.values[i] != 0);
	if (record->metadata == NULL)
		return sum;
	if (!pinecone_decode_metadata(record->metadata, record->metadata_len, &fields, &reason))
	{
		if (reason == NULL)
			abort();
		return sum;
	}
	for (int i = 0; i < fields->n; i++)
		sum += strlen(fields->fields[i].name ? fields->fields[i].name : fields->fields[i].json) +
			   touch_value(&fields->fields[i].value);
	return sum;
}

/* Decode a body as it comes from the network. */
static bool
decode(const char *text, size_t len, bool want_values)
{
	static volatile size_t sink;
	char *body = malloc(len + BODY_PADDING);
	PineconePage *page = NULL;
	const char *reason = NULL;
	int read_units;
	bool good;

	memcpy(body, text, len);
	body[len] = '\0';
	memset(body + len + 1, '5', BODY_PADDING - 1);
	good = pinecone_decode_page(body, len, want_values, &page, &read_units, &reason);
	free(body); /* nothing may point into it */
	if (good)
	{
		for (int i = 0; i < page->nrecords; i++)
			sink += touch_record(&page->records[i]);
		if (page->next_token)
			sink += strlen(page->next_token);
	}
	else if (reason == NULL)
		abort();
	backend_free_all();
	return good;
}

static void
cut_everywhere(const char *body)
{
	size_t len = strlen(body);
	size_t end = len;

	while (end > 0 && body[end - 1] == ' ')
		end--;
	for (int want = 0; want < 2; want++)
	{
		check(decode(body, len, want), "a whole reply is read", body, len);
		for (size_t n = 0; n < end; n++)
			check(!decode(body, n, want), "a reply cut short is refused", body, n);
	}
}

static uint64 random_state = 1;

static uint32
next_random(void)
{
	random_state = random_state * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	return (uint32) (random_state >> 33);
}

/* A few bytes changed, removed, doubled or taken from another reply. */
static size_t
mutate(char *body, size_t len, size_t size)
{
	static const char bytes[] = "{}[]\",:\\0123456789.eE+-u \n\x01\x7f\x80\xff";
	int changes = 1 + next_random() % 4;

	while (changes-- > 0 && len > 0)
	{
		size_t at = next_random() % len;
		size_t n = 1 + next_random() % 8;

		switch (next_random() % 5)
		{
			case 0:
				body[at] = (char) next_random();
				break;
			case 1:
				body[at] = bytes[next_random() % (sizeof(bytes) - 1)];
				break;
			case 2:
				n = Min(n, len - at);
				memmove(body + at, body + at + n, len - at - n);
				len -= n;
				break;
			case 3:
				n = Min(n, Min(len - at, size - len));
				memmove(body + at + n, body + at, len - at);
				len += n;
				break;
			default:
				{
					const char *other = replies[next_random() % lengthof(replies)];
					size_t from = next_random() % strlen(other);

					n = Min(Min(n * 4, strlen(other) - from), len - at);
					memcpy(body + at, other + from, n);
				}
		}
	}
	return len;
}

/* Where the first special byte of a text is, wherever it stands and whatever is before and behind it. */
static void
find_specials(void)
{
	static const char specials[] = "\"\\\n\x1f";
	static const char others[] = {' ', '!', '#', '[', ']', 'a', '\x7f', '\x80', '\x81', '\xa0', '\xa2', '\xdc', '\xff'};
	bool good = true;

	for (int start = 0; start < 8; start++)
		for (int at = 0; at < 24; at++)
			for (int which = 0; which < lengthof(specials); which++) /* the last one is NUL */
				for (int other = 0; other < lengthof(others); other++)
				{
					_Alignas(8) char text[48];

					memset(text, specials[which], sizeof(text));
					memset(text, others[other], start + at);
					good &= pinecone_scanner_special(text + start) == text + start + at;
				}
	check(good, "special bytes of a text", "", 0);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 100000;
	long accepted = 0;

	random_state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	find_specials();
	for (int i = 0; i < lengthof(replies); i++)
		cut_everywhere(replies[i]);
	for (long i = 0; i < rounds; i++)
	{
		const char *reply = replies[next_random() % lengthof(replies)];
		char body[2048];
		size_t len = strlen(reply);

		memcpy(body, reply, len);
		len = mutate(body, len, sizeof(body));
		accepted += decode(body, len, next_random() % 2);
	}
	/* some changes do no harm, most do */
	check(rounds == 0 || (accepted > 0 && accepted < rounds), "changed replies", "", 0);
	printf("%ld changed replies, %ld of them accepted\n", rounds, accepted);
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}

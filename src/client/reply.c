/*
 * reply.c
 *		What comes in of a reply: its body's memory, and the headers that matter.
 */
#include "postgres.h"

#include "client/reply.h"

/* Behind a body: its NUL, and what a decoder may read in one go. */
#define BODY_PADDING 64

/*
 * Memory of large bodies is kept for the next ones, so many bytes of it:
 * fresh memory from the system costs about as much as receiving into it, and
 * 128 kB at the heap's end go back to the system each time they are freed.
 */
#define LARGE_BODY ((size_t) 32 * 1024)
#define MAX_SPARE_BODIES 8
#define MAX_SPARE_BYTES ((size_t) 4 * 1024 * 1024)

typedef struct SpareBody
{
	char *data; /* malloc'ed */
	size_t size;
} SpareBody;

static SpareBody spare_bodies[MAX_SPARE_BODIES];
static int nspare_bodies = 0;
static size_t spare_bytes = 0; /* the sum of their sizes */

/* ---- Bodies ---- */

/* The smallest memory kept that is large enough, or else the largest. */
static void
take_spare(PineconeBody *body, size_t wanted)
{
	SpareBody *best = NULL;

	for (int i = 0; i < nspare_bodies; i++)
	{
		SpareBody *spare = &spare_bodies[i];

		if (best == NULL || (best->size < wanted ? spare->size > best->size :
												   spare->size >= wanted && spare->size < best->size))
			best = spare;
	}
	if (best == NULL)
		return;
	body->data = best->data;
	body->size = best->size;
	spare_bytes -= best->size;
	*best = spare_bodies[--nspare_bodies];
}

void
pinecone_body_free(PineconeBody *body)
{
	char *data = body->data;
	size_t size = body->size;

	memset(body, 0, sizeof(*body));
	if (size < LARGE_BODY || nspare_bodies == MAX_SPARE_BODIES || spare_bytes + size > MAX_SPARE_BYTES)
	{
		free(data);
		return;
	}
	spare_bodies[nspare_bodies++] = (SpareBody){data, size};
	spare_bytes += size;
}

void
pinecone_body_free_spares(void)
{
	while (nspare_bodies > 0)
		free(spare_bodies[--nspare_bodies].data);
	spare_bytes = 0;
}

/* Make room for so many bytes. */
static bool
grow(PineconeBody *body, size_t needed, int64 announced)
{
	size_t wanted = Max(needed, body->size * 2);
	char *data;

	if (body->data == NULL)
	{
		if (announced > 0 && (size_t) announced < PINECONE_MAX_REPLY)
			wanted = Max(wanted, (size_t) announced + BODY_PADDING);
		if (wanted >= LARGE_BODY)
			take_spare(body, wanted);
		if (body->size >= wanted)
			return true;
	}
	data = realloc(body->data, wanted);
	if (data == NULL)
		return false;
	body->data = data;
	body->size = wanted;
	return true;
}

bool
pinecone_body_append(PineconeBody *body, const char *data, size_t len, int64 announced)
{
	size_t needed = body->len + len + BODY_PADDING;

	if (needed > body->size && !grow(body, needed, announced))
		return false;
	memcpy(body->data + body->len, data, len);
	body->len += len;
	body->data[body->len] = '\0';
	return true;
}

/* ---- Headers ---- */

/* The value of a header line of that name, copied; false when it is another. */
static inline bool
header_value(const char *line, size_t len, const char *name, char *value, size_t size)
{
	size_t namelen = strlen(name);
	size_t n = 0;

	if (len <= namelen || line[namelen] != ':' || pg_strncasecmp(line, name, namelen) != 0)
		return false;
	line += namelen + 1;
	len -= namelen + 1;
	for (size_t i = 0; i < len && n + 1 < size; i++)
	{
		if ((unsigned char) line[i] > ' ' && (unsigned char) line[i] < 127)
			value[n++] = line[i];
	}
	value[n] = '\0';
	return true;
}

/* A log sequence number decides what is fresh: what is no number is none, -1. */
static int64
sequence_number(const char *value)
{
	size_t digits = strspn(value, "0123456789");

	if (digits == 0 || digits > 18 || value[digits] != '\0')
		return -1;
	return strtoll(value, NULL, 10);
}

void
pinecone_reply_take_header(PineconeExchange *exchange, const char *line, size_t len)
{
	char value[64];

	/* most lines are others */
	if (len == 0 || (*line != 'x' && *line != 'X' && *line != 'c' && *line != 'C'))
		return;
	if (header_value(line, len, "x-pinecone-request-lsn", value, sizeof(value)))
		exchange->request_lsn = sequence_number(value);
	else if (header_value(line, len, "x-pinecone-max-indexed-lsn", value, sizeof(value)))
		exchange->indexed_lsn = sequence_number(value);
	else if (header_value(line, len, "x-pinecone-request-id", exchange->request_id,
						  sizeof(exchange->request_id)))
		/* taken */;
	else if (header_value(line, len, "content-type", exchange->content_type,
						  sizeof(exchange->content_type)))
		/* taken */;
	else if (exchange->request_id[0] == '\0')
		(void) header_value(line, len, "x-request-id", exchange->request_id,
							sizeof(exchange->request_id));
}

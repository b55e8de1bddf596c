/*
 * huf_moments_type.c
 *		The type huf_moments: as text, and as bytes for COPY and other servers.
 *
 * The text is the version, and after colons what the struct holds but for what
 * follows from the rest.  A state before its first row is the version alone.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"

#include "huf/huf_moments.h"

PG_FUNCTION_INFO_V1(pinecone_huf_moments_in);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_out);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_recv);
PG_FUNCTION_INFO_V1(pinecone_huf_moments_send);

#define ALL_MISSING (HUF_NO_SQUARES | HUF_NO_LOGS | HUF_NO_M2)
#define MAX_EXPONENT 1024 /* of DBL_MAX, as frexp() has it */

/* The numbers of a state, in the order in which they are written. */
#define DOUBLES 11

static void
doubles_of(HufMoments *m, double **value)
{
	double *all[DOUBLES] = {&m->t, &m->limit, &m->y.s, &m->y.c, &m->q.s, &m->q.c, &m->x.s, &m->x.c, &m->m2, &m->largest, &m->top};

	memcpy(value, all, sizeof(all));
}

void
pinecone_huf_moments_clear(HufMoments *m)
{
	memset(m, 0, sizeof(HufMoments));
	m->version = HUF_MOMENTS_VERSION;
	m->kind = HUF_LINEAR;
	m->t = 1;
	m->factor = 1;
	m->exponent = HUF_MIN_EXPONENT;
}

static void
unknown_version(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("unsupported version of huf_moments")));
}

/* Refuse what no aggregate makes; set what follows from the rest. */
static void
complete(HufMoments *m)
{
	bool sane = m->missing <= ALL_MISSING && m->kind <= HUF_SOFTMAX && (m->fixed || m->kind == HUF_LINEAR) && m->t > 0 && m->t <= DBL_MAX &&
				m->n >= 0 && m->positive >= 0 && m->positive <= m->n &&
				m->exponent >= HUF_MIN_EXPONENT && m->exponent <= MAX_EXPONENT &&
				m->y.s >= 0 && m->q.s >= 0 && m->m2 >= 0 && m->largest >= 0 && !isnan(m->top) &&
				isfinite(m->y.s + m->y.c) && isfinite(m->q.s + m->q.c) && isfinite(m->x.s + m->x.c) &&
				isfinite(m->m2 + m->largest);
	bool seen = m->positive > 0;

	if (m->kind == HUF_LINEAR)
		sane = sane && m->limit == (seen ? ldexp(1, m->exponent) : 0);
	else
		sane = sane && (seen ? isfinite(m->limit) && isfinite(m->top) && m->y.s > 0 : m->limit == -INFINITY);
	if (!sane)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("huf_moments has impossible counts or sums")));
	m->factor = seen && m->kind == HUF_LINEAR ? ldexp(1, -m->exponent) : 1;
}

/* ---- Text ---- */

static void
bad_input(const char *input)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s\"", "huf_moments",
					pg_mbcliplen(input, strlen(input), 64), input)));
}

static void
skip_colon(const char **at, const char *input)
{
	if (**at != ':')
		bad_input(input);
	(*at)++;
}

static int64
read_integer(const char **at, const char *input)
{
	char *end;
	int64 value;

	errno = 0;
	value = strtoll(*at, &end, 10);
	if (end == *at || errno != 0)
		bad_input(input);
	*at = end;
	return value;
}

static double
read_double(const char **at, const char *input)
{
	char *end;
	double value = strtod(*at, &end);

	if (end == *at)
		bad_input(input);
	*at = end;
	return value;
}

/* A number that is 0 or 1. */
static uint8
read_bit(const char **at, const char *input)
{
	int64 value = read_integer(at, input);

	if (value < 0 || value > 1)
		bad_input(input);
	return value;
}

/* Text input: every number in its place, and nothing an aggregate could not have made. */
Datum
pinecone_huf_moments_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *at = input;
	HufMoments *m = palloc(sizeof(HufMoments));
	double *value[DOUBLES];
	int64 missing;
	int64 exponent;

	pinecone_huf_moments_clear(m);
	if (read_integer(&at, input) != HUF_MOMENTS_VERSION)
		unknown_version();
	if (*at == '\0')
		PG_RETURN_POINTER(m);
	skip_colon(&at, input);
	m->kind = read_bit(&at, input);
	skip_colon(&at, input);
	m->fixed = read_bit(&at, input);
	skip_colon(&at, input);
	m->nan = read_bit(&at, input);
	skip_colon(&at, input);
	missing = read_integer(&at, input);
	if (missing < 0 || missing > ALL_MISSING)
		bad_input(input);
	m->missing = missing;
	skip_colon(&at, input);
	exponent = read_integer(&at, input);
	if (exponent != (int16) exponent)
		bad_input(input);
	m->exponent = exponent;
	skip_colon(&at, input);
	m->n = read_integer(&at, input);
	skip_colon(&at, input);
	m->positive = read_integer(&at, input);
	doubles_of(m, value);
	for (int i = 0; i < DOUBLES; i++)
	{
		skip_colon(&at, input);
		*value[i] = read_double(&at, input);
	}
	if (*at != '\0')
		bad_input(input);
	complete(m);
	PG_RETURN_POINTER(m);
}

Datum
pinecone_huf_moments_out(PG_FUNCTION_ARGS)
{
	HufMoments *m = PG_GETARG_MOMENTS(0);
	StringInfoData buf;
	double *value[DOUBLES];
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (m->version != HUF_MOMENTS_VERSION)
		unknown_version();
	initStringInfo(&buf);
	appendStringInfo(&buf, "%d", m->version);
	if (!m->fixed && m->n == 0)
		PG_RETURN_CSTRING(buf.data);
	appendStringInfo(&buf, ":%d:%d:%d:%d:%d:" INT64_FORMAT ":" INT64_FORMAT, m->kind, m->fixed, m->nan, m->missing, m->exponent, m->n, m->positive);
	doubles_of(m, value);
	for (int i = 0; i < DOUBLES; i++)
	{
		double_to_shortest_decimal_buf(*value[i], digits);
		appendStringInfoChar(&buf, ':');
		appendStringInfoString(&buf, digits);
	}
	PG_RETURN_CSTRING(buf.data);
}

/* ---- Bytes ---- */

Datum
pinecone_huf_moments_send(PG_FUNCTION_ARGS)
{
	HufMoments *m = PG_GETARG_MOMENTS(0);
	StringInfoData buf;
	double *value[DOUBLES];

	if (m->version != HUF_MOMENTS_VERSION)
		unknown_version();
	pq_begintypsend(&buf);
	pq_sendint8(&buf, m->version);
	pq_sendint8(&buf, m->kind);
	pq_sendint8(&buf, m->fixed);
	pq_sendint8(&buf, m->nan);
	pq_sendint8(&buf, m->missing);
	pq_sendint16(&buf, m->exponent);
	pq_sendint64(&buf, m->n);
	pq_sendint64(&buf, m->positive);
	doubles_of(m, value);
	for (int i = 0; i < DOUBLES; i++)
		pq_sendfloat8(&buf, *value[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
pinecone_huf_moments_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	HufMoments *m = palloc(sizeof(HufMoments));
	double *value[DOUBLES];

	pinecone_huf_moments_clear(m);
	if (pq_getmsgbyte(buf) != HUF_MOMENTS_VERSION)
		unknown_version();
	m->kind = pq_getmsgbyte(buf);
	m->fixed = pq_getmsgbyte(buf) != 0;
	m->nan = pq_getmsgbyte(buf) != 0;
	m->missing = pq_getmsgbyte(buf);
	m->exponent = (int16) pq_getmsgint(buf, 2);
	m->n = pq_getmsgint64(buf);
	m->positive = pq_getmsgint64(buf);
	doubles_of(m, value);
	for (int i = 0; i < DOUBLES; i++)
		*value[i] = pq_getmsgfloat8(buf);
	complete(m);
	PG_RETURN_POINTER(m);
}

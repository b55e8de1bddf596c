/*
 * huf_sketch.c
 *		The type huf_sketch, and the aggregates that make one.
 *
 * Text form: version:dimensions:vectors:directions:{u}:{mean}:{m2}, numbers in
 * the shortest form that reads back as the same double.  Binary form: the same
 * fields in network byte order.
 */
#include "postgres.h"

#include "common/shortest_dec.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "huf/huf_sketch.h"

PG_FUNCTION_INFO_V1(pinecone_huf_sketch_in);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_out);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_recv);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_send);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_direction_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_merge_accum);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_combine);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_serialize);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_deserialize);
PG_FUNCTION_INFO_V1(pinecone_huf_sketch_final);

static void
bad_input(const char *input)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%.*s\"", "huf_sketch",
					pg_mbcliplen(input, strlen(input), 64), input)));
}

/* Refuse a sketch that no aggregate makes. */
static void
check_sketch(const HufSketch *s)
{
	const double *m2 = huf_sketch_m2(s);
	bool sane = s->n >= 1 && s->units >= 0 && s->units <= s->n;

	for (int i = 0; sane && i < s->dim; i++)
		sane = !(m2[i] < 0);
	if (!sane)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("huf_sketch has impossible counts or deviations")));
}

static void
skip_char(const char **at, char c, const char *input)
{
	if (**at != c)
		bad_input(input);
	(*at)++;
}

static int64
read_count(const char **at, const char *input)
{
	char *end;
	int64 value;

	if (**at < '0' || **at > '9')
		bad_input(input);
	errno = 0;
	value = strtoll(*at, &end, 10);
	if (errno != 0)
		bad_input(input);
	*at = end;
	return value;
}

/*
 * A number as the output function writes it.  strtod alone would take more:
 * blanks, hexadecimal, NaN with a payload.
 */
static double
read_double(const char **at, const char *input)
{
	static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
	static const double values[] = {NAN, INFINITY, -INFINITY};
	const char *digits = *at;
	char *end;
	double value;

	for (int i = 0; i < lengthof(words); i++)
	{
		size_t length = strlen(words[i]);

		if (strncmp(*at, words[i], length) == 0)
		{
			*at += length;
			return values[i];
		}
	}
	if (*digits == '-')
		digits++;
	if (*digits < '0' || *digits > '9' || digits[1] == 'x' || digits[1] == 'X')
		bad_input(input);
	errno = 0;
	value = strtod(*at, &end);
	/* ERANGE is also how denormals are reported, and those are fine */
	if (errno == ERANGE && (isinf(value) || value == 0))
		bad_input(input);
	*at = end;
	return value;
}

/*
 * Read the text form: version, dimension, number of embeddings, units, and the
 * stored rows of components. Nothing in it is believed before it is checked.
 */
Datum
pinecone_huf_sketch_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *at = input;
	HufSketch *s;
	int64 dim;
	int64 n;
	int64 units;

	if (read_count(&at, input) != HUF_SKETCH_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("unsupported version of huf_sketch")));
	skip_char(&at, ':', input);
	dim = read_count(&at, input);
	skip_char(&at, ':', input);
	n = read_count(&at, input);
	skip_char(&at, ':', input);
	units = read_count(&at, input);
	/* a component takes at least two characters: no large sketch from short input */
	if (dim < 1 || dim > HUF_MAX_DIMENSIONS || dim > strlen(at))
		bad_input(input);
	s = pinecone_huf_sketch_create(CurrentMemoryContext, dim, HUF_SKETCH_STORED);
	s->n = n;
	s->units = units;
	for (int row = 0; row < HUF_SKETCH_STORED; row++)
	{
		skip_char(&at, ':', input);
		for (int i = 0; i < dim; i++)
		{
			skip_char(&at, i == 0 ? '{' : ',', input);
			s->value[row * dim + i] = read_double(&at, input);
		}
		skip_char(&at, '}', input);
	}
	if (*at != '\0')
		bad_input(input);
	check_sketch(s);
	PG_RETURN_POINTER(s);
}

Datum
pinecone_huf_sketch_out(PG_FUNCTION_ARGS)
{
	HufSketch *s = PG_GETARG_SKETCH(0);
	StringInfoData buf;
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	initStringInfo(&buf);
	appendStringInfo(&buf, "%d:%d:" INT64_FORMAT ":" INT64_FORMAT, s->version, s->dim, s->n, s->units);
	for (int row = 0; row < HUF_SKETCH_STORED; row++)
	{
		for (int i = 0; i < s->dim; i++)
		{
			double_to_shortest_decimal_buf(s->value[row * (Size) s->dim + i], digits);
			appendStringInfoString(&buf, i > 0 ? "," : ":{");
			appendStringInfoString(&buf, digits);
		}
		appendStringInfoChar(&buf, '}');
	}
	PG_RETURN_CSTRING(buf.data);
}

static bytea *
send_sketch(const HufSketch *s)
{
	StringInfoData buf;
	Size count = s->rows * (Size) s->dim;

	pq_begintypsend(&buf);
	pq_sendint8(&buf, s->version);
	pq_sendint8(&buf, s->rows);
	pq_sendint32(&buf, s->dim);
	pq_sendint64(&buf, s->n);
	pq_sendint64(&buf, s->units);
	enlargeStringInfo(&buf, sizeof(double) * count);
	for (Size i = 0; i < count; i++)
		pq_sendfloat8(&buf, s->value[i]);
	return pq_endtypsend(&buf);
}

static HufSketch *
receive_sketch(StringInfo buf)
{
	int version = pq_getmsgbyte(buf);
	int rows = pq_getmsgbyte(buf);
	int dim = (int32) pq_getmsgint(buf, 4);
	HufSketch *s;

	if (version != HUF_SKETCH_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("unsupported version of huf_sketch")));
	if ((rows != HUF_SKETCH_STORED && rows != HUF_SKETCH_STATE && rows != HUF_SKETCH_DIRECTIONS) || dim < 1 || dim > HUF_MAX_DIMENSIONS ||
		buf->len - buf->cursor != 16 + sizeof(double) * rows * dim)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of huf_sketch")));
	s = pinecone_huf_sketch_create(CurrentMemoryContext, dim, rows);
	s->n = pq_getmsgint64(buf);
	s->units = pq_getmsgint64(buf);
	for (Size i = 0; i < rows * (Size) dim; i++)
		s->value[i] = pq_getmsgfloat8(buf);
	return s;
}

Datum
pinecone_huf_sketch_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(send_sketch(PG_GETARG_SKETCH(0)));
}

Datum
pinecone_huf_sketch_recv(PG_FUNCTION_ARGS)
{
	HufSketch *s = receive_sketch((StringInfo) PG_GETARG_POINTER(0));

	if (s->rows != HUF_SKETCH_STORED)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary form of huf_sketch")));
	check_sketch(s);
	PG_RETURN_POINTER(s);
}

/* Rows of a block: many beside one merge, few beside what rounding needs to show */
#define BLOCK_ROWS 1024

static HufSketchState *
new_state(MemoryContext context, HufSketch *block)
{
	HufSketchState *state = MemoryContextAllocZero(context, sizeof(HufSketchState));

	state->block = block;
	return state;
}

/* Empty a full block into the total. */
static void
flush_block(HufSketchState *state, MemoryContext context)
{
	HufSketch *block = state->block;

	if (state->total == NULL)
	{
		pinecone_huf_sketch_recentre(block);
		state->total = block;
		state->block = pinecone_huf_sketch_create(context, block->dim, block->rows);
		return;
	}
	pinecone_huf_sketch_merge(state->total, block);
	block->n = block->units = 0;
	memset(block->value, 0, sizeof(double) * block->rows * (Size) block->dim);
}

static HufSketch *
copy_sketch(const HufSketch *s, MemoryContext context)
{
	HufSketch *copy = MemoryContextAlloc(context, VARSIZE(s));

	memcpy(copy, s, VARSIZE(s));
	return copy;
}

/* All rows of a state, which may get more afterwards: its own sketch or a copy. */
HufSketch *
pinecone_huf_sketch_whole(const HufSketchState *state)
{
	HufSketch *whole;

	if (state->total == NULL)
		return state->block;
	whole = copy_sketch(state->total, CurrentMemoryContext);
	pinecone_huf_sketch_merge(whole, state->block);
	return whole;
}

static HufSketchState *
state_arg(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : (HufSketchState *) PG_GETARG_POINTER(arg);
}

#define RETURN_STATE(state) \
	do \
	{ \
		if ((state) == NULL) \
			PG_RETURN_NULL(); \
		PG_RETURN_POINTER(state); \
	} \
	while (0)

static Datum
accumulate(FunctionCallInfo fcinfo, int rows)
{
	HufSketchState *state = state_arg(fcinfo, 0);
	HufEmbedding e;

	if (PG_ARGISNULL(1))
		RETURN_STATE(state);
	pinecone_huf_embedding_arg(fcinfo, 1, &e);
	if (state == NULL)
	{
		MemoryContext context = pinecone_huf_aggregate_context(fcinfo);

		state = new_state(context, pinecone_huf_sketch_create(context, e.dim, rows));
	}
	else if (unlikely(state->block->n >= BLOCK_ROWS))
		flush_block(state, pinecone_huf_aggregate_context(fcinfo));
	pinecone_huf_sketch_add(state->block, &e);
	pinecone_huf_embedding_release(&e);
	PG_RETURN_POINTER(state);
}

/* Transition of huf_sketch(v) and huf_dispersion(v). */
Datum
pinecone_huf_sketch_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, HUF_SKETCH_STATE);
}

/* Transition of the aggregates that need directions alone. */
Datum
pinecone_huf_direction_accum(PG_FUNCTION_ARGS)
{
	return accumulate(fcinfo, HUF_SKETCH_DIRECTIONS);
}

/* The state with another sketch merged into it, made if there is none yet. */
static HufSketchState *
merge_into(HufSketchState *state, const HufSketch *other, MemoryContext context)
{
	if (state == NULL)
		return new_state(context, copy_sketch(other, context));
	pinecone_huf_sketch_merge(state->block, other);
	return state;
}

/* Transition of huf_sketch_merge(sketch). */
Datum
pinecone_huf_sketch_merge_accum(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	HufSketchState *state = state_arg(fcinfo, 0);

	if (!PG_ARGISNULL(1))
	{
		HufSketch *stored = PG_GETARG_SKETCH(1);
		HufSketch *other = pinecone_huf_sketch_load(stored);

		state = merge_into(state, other, context);
		pfree(other);
		PG_FREE_IF_COPY(stored, 1);
	}
	RETURN_STATE(state);
}

Datum
pinecone_huf_sketch_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = pinecone_huf_aggregate_context(fcinfo);
	HufSketchState *state = state_arg(fcinfo, 0);
	HufSketchState *other = state_arg(fcinfo, 1);

	if (other != NULL)
		state = merge_into(state, pinecone_huf_sketch_whole(other), context);
	RETURN_STATE(state);
}

Datum
pinecone_huf_sketch_serialize(PG_FUNCTION_ARGS)
{
	pinecone_huf_aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P(send_sketch(pinecone_huf_sketch_whole((HufSketchState *) PG_GETARG_POINTER(0))));
}

Datum
pinecone_huf_sketch_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	HufSketch *s;

	pinecone_huf_aggregate_context(fcinfo);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	s = receive_sketch(&buf);
	pfree(buf.data);
	PG_RETURN_POINTER(new_state(CurrentMemoryContext, s));
}

/* The state as a value of the type. */
Datum
pinecone_huf_sketch_final(PG_FUNCTION_ARGS)
{
	HufSketchState *state = state_arg(fcinfo, 0);

	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(pinecone_huf_sketch_store(pinecone_huf_sketch_whole(state)));
}

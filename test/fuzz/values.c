/*
 * values.c
 *		Values from outside other than replies: texts and bytes of huf_moments, writes
 *		as they stand in logs, sparse vectors, halves, dates and times.
 */
#include "fuzz.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "huf/huf_moments.h"
#include "pending/write_code.h"
#include "value/half.h"
#include "value/pgvector.h"
#include "value/sparse.h"
#include "value/times.h"
#include "value/vector.h"

/* ---- huf_moments ---- */

extern Datum pinecone_huf_moments_in(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_moments_out(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_moments_recv(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_moments_send(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_moments_combine(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_mass(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_lse(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_hhi(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_entropy(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_evenness(PG_FUNCTION_ARGS);
extern Datum pinecone_huf_rho_var(PG_FUNCTION_ARGS);

/* Call a function that may return NULL, and that may raise an error. */
static void
call(PGFunction function, Datum a, Datum b, int n)
{
	LOCAL_FCINFO(fcinfo, 2);
	FmgrInfo flinfo = {.fn_mcxt = CurrentMemoryContext};
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		InitFunctionCallInfoData(*fcinfo, &flinfo, n, InvalidOid, NULL, NULL);
		fcinfo->args[0].value = a;
		fcinfo->args[0].isnull = false;
		fcinfo->args[1].value = b;
		fcinfo->args[1].isnull = false;
		(void) function(fcinfo);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		FUZZ_CHECK(error->sqlerrcode != ERRCODE_INTERNAL_ERROR, "internal error: %s", error->message);
	}
	PG_END_TRY();
}

/* Out and in again: the same state. */
static void
check_moments(HufMoments *m)
{
	Datum state = PointerGetDatum(m);
	char *text = DatumGetCString(DirectFunctionCall1(pinecone_huf_moments_out, state));
	HufMoments *again = (HufMoments *) DatumGetPointer(DirectFunctionCall1(pinecone_huf_moments_in, CStringGetDatum(text)));
	bytea *bytes = DatumGetByteaP(DirectFunctionCall1(pinecone_huf_moments_send, state));
	bytea *bytes_again = DatumGetByteaP(DirectFunctionCall1(pinecone_huf_moments_send, PointerGetDatum(again)));
	PGFunction finals[] = {pinecone_huf_mass, pinecone_huf_lse, pinecone_huf_hhi, pinecone_huf_entropy, pinecone_huf_evenness, pinecone_huf_rho_var};

	if (m->fixed || m->n != 0)
		FUZZ_CHECK(VARSIZE(bytes) == VARSIZE(bytes_again) && memcmp(bytes, bytes_again, VARSIZE(bytes)) == 0, "another state after %s", text);
	for (int i = 0; i < lengthof(finals); i++)
		call(finals[i], state, (Datum) 0, 1);
}

/* A text, or bytes when it begins with the version as a byte */
void
fuzz_moments(const char *data, size_t size)
{
	HufMoments *m;

	if (size > 0 && data[0] == HUF_MOMENTS_VERSION)
	{
		StringInfoData buf;

		initStringInfo(&buf);
		appendBinaryStringInfo(&buf, data, size);
		m = (HufMoments *) DatumGetPointer(DirectFunctionCall1(pinecone_huf_moments_recv, PointerGetDatum(&buf)));
	}
	else if (fuzz_is_text(data, size))
		m = (HufMoments *) DatumGetPointer(DirectFunctionCall1(pinecone_huf_moments_in, CStringGetDatum(pnstrdup(data, size))));
	else
		return;
	check_moments(m);
}

/* ---- Writes ---- */

typedef struct Bytes
{
	const char *p;
	size_t left;
} Bytes;

static int
take_byte(Bytes *bytes)
{
	if (bytes->left == 0)
		return 0;
	bytes->left--;
	return (unsigned char) *bytes->p++;
}

static char *
take_text(Bytes *bytes)
{
	int length = take_byte(bytes);
	size_t n = Min((size_t) (length & 63), bytes->left);
	char *text = pnstrdup(bytes->p, n);

	bytes->p += n;
	bytes->left -= n;
	if (length & 64)
		return NULL;
	return fuzz_is_text(text, strlen(text)) ? text : pstrdup("");
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void
take_sparse(Bytes *bytes, PineconeSparse *sparse)
{
	sparse->n = take_byte(bytes) % 12;
	sparse->indices = palloc(Max(sparse->n, 1) * sizeof(uint32));
	sparse->values = palloc(Max(sparse->n, 1) * sizeof(float));
	for (int i = 0; i < sparse->n; i++)
	{
		sparse->indices[i] = i * 256 + take_byte(bytes);
		sparse->values[i] = take_byte(bytes) - 128;
	}
	/* in another order */
	if (sparse->n > 1 && take_byte(bytes) % 2)
	{
		uint32 index = sparse->indices[0];
		float value = sparse->values[0];

		sparse->indices[0] = sparse->indices[sparse->n - 1];
		sparse->values[0] = sparse->values[sparse->n - 1];
		sparse->indices[sparse->n - 1] = index;
		sparse->values[sparse->n - 1] = value;
	}
}

/* A write as a string of bytes is the same write, with its sparse vector in order. */
void
fuzz_write(const char *data, size_t size)
{
	Bytes bytes = {data, size};
	PineconeWrite write = {0};
	PineconeWrite read;
	PineconeWriteHeader header;
	StringInfoData buf;
	char *body;
	int target = take_byte(&bytes);

	write.kind = take_byte(&bytes) % (PINECONE_WRITE_DELETE_ALL + 1);
	write.record.id = take_text(&bytes);
	write.record.idlen = write.record.id ? strlen(write.record.id) : 0;
	write.record.metadata = take_text(&bytes);
	write.record.metadata_len = write.record.metadata ? strlen(write.record.metadata) : 0;
	write.filter = take_text(&bytes);
	write.rest = take_text(&bytes);
	write.removed = take_text(&bytes);
	write.documents = take_byte(&bytes) % 2;
	write.drop_values = take_byte(&bytes) % 2;
	write.drop_sparse = take_byte(&bytes) % 2;
	write.record.nvalues = take_byte(&bytes) % 12;
	write.record.values = palloc(Max(write.record.nvalues, 1) * sizeof(float));
	for (int i = 0; i < write.record.nvalues; i++)
		write.record.values[i] = take_byte(&bytes);
	take_sparse(&bytes, &write.record.sparse);
	initStringInfo(&buf);
	pinecone_write_encode(&buf, target, &write);
	memcpy(&header, buf.data, sizeof(header));
	FUZZ_CHECK(header.target == target && buf.len == sizeof(header) + pinecone_write_body_length(&header), "another length");
	body = palloc(buf.len - sizeof(header));
	memcpy(body, buf.data + sizeof(header), buf.len - sizeof(header));
	pinecone_write_decode(&header, body, &read);
	FUZZ_CHECK(read.kind == write.kind && same_text(read.record.id, write.record.id) &&
			   same_text(read.record.metadata, write.record.metadata) && same_text(read.filter, write.filter) &&
			   same_text(read.rest, write.rest) && same_text(read.removed, write.removed) &&
			   read.documents == write.documents && read.drop_values == write.drop_values && read.drop_sparse == write.drop_sparse,
			   "another write is read back");
	FUZZ_CHECK(read.record.nvalues == write.record.nvalues &&
			   memcmp(read.record.values, write.record.values, read.record.nvalues * sizeof(float)) == 0,
			   "another vector is read back");
	FUZZ_CHECK(read.record.sparse.n == write.record.sparse.n, "not as many sparse values are read back");
	pinecone_sparse_sort(&write.record.sparse);
	FUZZ_CHECK(memcmp(read.record.sparse.indices, write.record.sparse.indices, read.record.sparse.n * sizeof(uint32)) == 0 &&
			   memcmp(read.record.sparse.values, write.record.sparse.values, read.record.sparse.n * sizeof(float)) == 0,
			   "another sparse vector is read back");
}

/* ---- Sparse vectors ---- */

extern Datum pinecone_sparse_of_text(PG_FUNCTION_ARGS);
extern Datum pinecone_sparse_text(PG_FUNCTION_ARGS);

static void
check_sparse(Jsonb *jsonb)
{
	PineconeSparse sparse;
	PineconeSparse again;
	Datum datum;
	float product = 0;

	if (pinecone_sparse_from_jsonb(jsonb, &sparse) != NULL || pinecone_sparse_fault(&sparse, "it", PINECONE_MAX_DOCUMENT_SPARSE) != NULL)
		return;
	pinecone_sparse_sort(&sparse);
	FUZZ_CHECK(pinecone_sparse_from_jsonb(DatumGetJsonbP(pinecone_sparse_to_jsonb(&sparse)), &again) == NULL && again.n == sparse.n &&
			   memcmp(again.indices, sparse.indices, sparse.n * sizeof(uint32)) == 0,
			   "another sparse vector is read back");
	for (int i = 0; i < sparse.n; i++)
	{
		/* jsonb has no negative zero */
		FUZZ_CHECK(again.values[i] == sparse.values[i], "%.9g is read back as %.9g", sparse.values[i], again.values[i]);
		product += sparse.values[i] * sparse.values[i];
	}
	FUZZ_CHECK(pinecone_sparse_product(&sparse, &sparse) == product || isnan(product), "another product");
	if (pinecone_vector_sparse_datum(&sparse, -1, &datum))
	{
		int zeros = 0;

		for (int i = 0; i < sparse.n; i++)
			zeros += sparse.values[i] == 0;
		pinecone_vector_sparse(datum, &again);
		FUZZ_CHECK(again.n == sparse.n - zeros, "a sparsevec of %d values for %d", again.n, sparse.n - zeros);
		fuzz_touch_bytes(again.indices, again.n * sizeof(uint32));
	}
	/* as pgvector's text and back */
	if (sparse.n > 0 && sparse.indices[sparse.n - 1] < PG_INT32_MAX)
	{
		Datum text = DirectFunctionCall2(pinecone_sparse_text, JsonbPGetDatum(jsonb), Int32GetDatum(PG_INT32_MAX));
		Jsonb *read = DatumGetJsonbP(DirectFunctionCall1(pinecone_sparse_of_text, text));

		FUZZ_CHECK(pinecone_sparse_from_jsonb(read, &again) == NULL && again.n == sparse.n &&
				   memcmp(again.indices, sparse.indices, sparse.n * sizeof(uint32)) == 0,
				   "another sparse vector is read back from text");
	}
}

/* jsonb, or pgvector's text: {1:0.5}/7 */
void
fuzz_sparse(const char *data, size_t size)
{
	if (!fuzz_is_text(data, size))
		return;
	if (memchr(data, '"', size) == NULL)
		check_sparse(DatumGetJsonbP(DirectFunctionCall1(pinecone_sparse_of_text, PointerGetDatum(cstring_to_text_with_len(data, size)))));
	else
		check_sparse(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(data, size)))));
}

/* ---- Vectors ---- */

/* The nearest half of a finite number, of two the even one, by arithmetic */
static double
nearest_half(float value)
{
	double size = fabs((double) value);
	double step = ldexp(1, Max(size > 0 ? ilogb(size) : -14, -14) - 10);
	double half = nearbyint(size / step) * step;

	return copysign(half > 65504 ? INFINITY : half, value);
}

/* Any bits as floats: to halves and back, and through real[]. */
void
fuzz_vector(const char *data, size_t size)
{
	int n = Min(size / sizeof(float), 2000);
	float *values = palloc(Max(n, 1) * sizeof(float));
	Datum datum;
	bool finite = true;
	bool fits = true;
	const char *reason = NULL;
	const float *again;
	int nagain;

	memcpy(values, data, n * sizeof(float));
	for (int i = 0; i < n; i++)
	{
		double half;

		finite = finite && isfinite(values[i]);
		if (!isfinite(values[i]))
			continue;
		half = nearest_half(values[i]);
		fits = fits && isfinite(half);
		FUZZ_CHECK(pinecone_half_to_float(pinecone_half_from_float(values[i])) == half &&
				   !signbit(pinecone_half_to_float(pinecone_half_from_float(values[i]))) == !signbit(values[i]),
				   "%.9g as a half is %.9g", values[i], half);
	}
	FUZZ_CHECK(!finite || pinecone_vector_half_datum(n, values, &datum) == fits, "a halfvec is %s", fits ? "refused" : "made");
	datum = pinecone_vector_datum(FLOAT4ARRAYOID, n, values);
	again = pinecone_vector_check(datum, FLOAT4ARRAYOID, &nagain, &reason);
	FUZZ_CHECK((again != NULL) == finite && (again != NULL || reason != NULL), "a vector is %s", finite ? "refused" : "taken");
	FUZZ_CHECK(again == NULL || (nagain == n && memcmp(again, values, n * sizeof(float)) == 0), "another vector");
}

/* ---- Dates and times ---- */

static const PineconeFormat formats[] = {PINECONE_FORMAT_ISO, PINECONE_FORMAT_ISO_SHORT, PINECONE_FORMAT_ISO_PYTHON, PINECONE_FORMAT_EPOCH, PINECONE_FORMAT_EPOCH_MS};

/* What is written of a time reads as the same time. */
static void
check_time(bool with_zone, Datum time, PineconeFormat format)
{
	StringInfoData buf;
	PineconeValue value = {0};
	Datum again;

	initStringInfo(&buf);
	if (pinecone_times_append(&buf, format, with_zone, DatumGetTimestamp(time)) != NULL)
		return;
	value.kind = buf.data[0] == '"' ? PINECONE_VALUE_STRING : PINECONE_VALUE_NUMBER;
	if (value.kind == PINECONE_VALUE_STRING)
		value.text = pnstrdup(buf.data + 1, buf.len - 2);
	else
	{
		value.text = buf.data;
		value.number = strtod(buf.data, NULL);
	}
	value.len = strlen(value.text);
	FUZZ_CHECK(pinecone_times_read(format, with_zone, -1, &value, &again) && again == time, "%s is another time", buf.data);
}

void
fuzz_times(const char *data, size_t size)
{
	PineconeValue value = {.kind = PINECONE_VALUE_STRING};
	PineconeTimeSpelling spelling;
	StringInfoData buf;
	Datum time;
	char *end;

	if (!fuzz_is_text(data, size))
		return;
	value.text = pnstrdup(data, size);
	value.len = size;
	spelling = pinecone_times_spelling(value.text, value.len);
	for (int zone = 0; zone < 2; zone++)
	{
		if (!pinecone_times_read(PINECONE_FORMAT_ISO, zone, -1, &value, &time))
			continue;
		FUZZ_CHECK(spelling != PINECONE_TIME_NONE, "a time is none");
		for (int i = 0; i < lengthof(formats); i++)
			check_time(zone, time, formats[i]);
		initStringInfo(&buf);
		if (strpbrk(value.text, "\"\\") == NULL)
		{
			FUZZ_CHECK(pinecone_times_append_like(&buf, psprintf("\"%s\"", value.text), zone, DatumGetTimestamp(time)) == NULL &&
					   strcmp(buf.data, psprintf("\"%s\"", value.text)) == 0,
					   "a time that stays is spelled otherwise");
		}
		(void) pinecone_times_read(PINECONE_FORMAT_ISO, zone, 3, &value, &time);
	}
	if (pinecone_times_read_date(PINECONE_FORMAT_ISO, &value, &time))
	{
		initStringInfo(&buf);
		FUZZ_CHECK(pinecone_times_append_date(&buf, PINECONE_FORMAT_ISO, DatumGetDateADT(time)) == NULL &&
				   strcmp(buf.data, psprintf("\"%s\"", value.text)) == 0,
				   "a date is spelled otherwise: %s", buf.data);
	}
	value.number = strtod(value.text, &end);
	if (end == value.text || *end != '\0' || !isfinite(value.number))
		return;
	value.kind = PINECONE_VALUE_NUMBER;
	for (int i = 3; i < lengthof(formats); i++)
	{
		(void) pinecone_times_read_date(formats[i], &value, &time);
		if (pinecone_times_read(formats[i], true, -1, &value, &time))
			check_time(true, time, formats[i]);
	}
}

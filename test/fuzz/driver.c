/*
 * driver.c
 *		libFuzzer inside a backend: an SQL function that runs a target.
 *
 * The parsers under test are the backend's kind of code, with its errors, its
 * memory contexts, jsonb and numeric; so they are fuzzed where all of that is
 * real, in a backend in single-user mode.  See run.sh.
 */
#define FUZZ_ALLOC_ITSELF
#include "alloc.h"

#include <stdarg.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "fuzz.h"

PG_MODULE_MAGIC;

/* What is readable behind a body (client/http.c) */
#define BODY_PADDING 64

#define MAX_ARGUMENTS 64

extern int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));

static const FuzzTarget targets[] = {
	{"reply", fuzz_reply},
	{"documents", fuzz_documents},
	{"message", fuzz_message},
	{"embeddings", fuzz_embeddings},
	{"header", fuzz_header},
	{"floats", fuzz_floats},
	{"record", fuzz_record},
	{"match", fuzz_match},
	{"option", fuzz_option},
	{"host", fuzz_host},
	{"moments", fuzz_moments},
	{"write", fuzz_write},
	{"sparse", fuzz_sparse},
	{"vector", fuzz_vector},
	{"times", fuzz_times},
};

static const FuzzTarget *target;
static MemoryContext run_context;
static char *bodies[8];
static int nbodies;

PG_FUNCTION_INFO_V1(pinecone_fuzz);

void
fuzz_wrong(const char *format, ...)
{
	va_list args;

	fputs("WRONG: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

bool
fuzz_is_text(const char *data, size_t size)
{
	return memchr(data, '\0', size) == NULL && pg_verify_mbstr(GetDatabaseEncoding(), data, size, true);
}

char *
fuzz_body(const char *data, size_t size)
{
	char *body = malloc(size + BODY_PADDING);

	if (body == NULL || nbodies == lengthof(bodies))
		abort();
	memcpy(body, data, size);
	body[size] = '\0';
	memset(body + size + 1, '5', BODY_PADDING - 1);
	return bodies[nbodies++] = body;
}

void
fuzz_touch_bytes(const void *bytes, size_t size)
{
	static volatile size_t sink;
	size_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += ((const unsigned char *) bytes)[i];
	sink += sum;
}

void
fuzz_touch(const char *text)
{
	if (text != NULL)
		fuzz_touch_bytes(text, strlen(text));
}

/* An error is an answer, unless it is one that "cannot happen". */
static void
look_at_error(void)
{
	ErrorData *error;

	MemoryContextSwitchTo(run_context);
	error = CopyErrorData();
	FlushErrorState();
	FUZZ_CHECK(error->sqlerrcode != ERRCODE_INTERNAL_ERROR, "internal error: %s", error->message);
}

static int
run_one(const uint8_t *data, size_t size)
{
	MemoryContext caller = MemoryContextSwitchTo(run_context);

	PG_TRY();
	{
		target->run((const char *) data, size);
	}
	PG_CATCH();
	{
		look_at_error();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	fuzz_unpoison();
	MemoryContextReset(run_context);
	while (nbodies > 0)
		free(bodies[--nbodies]);
	return 0;
}

/* pinecone_fuzz(TARGET, ARGUMENTS separated by spaces) */
Datum
pinecone_fuzz(PG_FUNCTION_ARGS)
{
	char *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char *save = NULL;
	char *arguments[MAX_ARGUMENTS] = {name};
	char **argv = arguments;
	int argc = 1;

	for (char *one = strtok_r(text_to_cstring(PG_GETARG_TEXT_PP(1)), " ", &save); one != NULL && argc < MAX_ARGUMENTS - 1;
		 one = strtok_r(NULL, " ", &save))
		arguments[argc++] = one;
	for (int i = 0; i < lengthof(targets); i++)
	{
		if (strcmp(targets[i].name, name) == 0)
			target = &targets[i];
	}
	if (target == NULL)
		elog(ERROR, "there is no target \"%s\"", name);
	run_context = AllocSetContextCreate(TopMemoryContext, "fuzz", ALLOCSET_DEFAULT_SIZES);
	PG_RETURN_INT32(LLVMFuzzerRunDriver(&argc, &argv, run_one));
}

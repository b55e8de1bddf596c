/*
 * requests.c
 *		Target "requests": requests to pinecone-local, to an index of vectors, one of
 *		sparse vectors, one of documents, and to the control plane; a program of its own.
 *
 * The first line is METHOD TARGET, where TARGET begins with one of d, s, t and c
 * for where it goes; the body follows.  A reply of a success has to be JSON.
 */
#include "../server/http.c"

#include "../server/analyzer.h"
#include "../server/control.h"
#include "../server/load.h"
#include "../server/schema.h"

#define DIMENSION 3

extern int LLVMFuzzerInitialize(int *argc, char ***argv);
extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Index *indexes[3];

/* What is there to begin with, so that there is something to find */
static const char *const records[] = {
	"POST d/vectors/upsert\n{\"vectors\":[{\"id\":\"a\",\"values\":[1,2,3],\"metadata\":{\"genre\":\"x\",\"year\":2020,\"tags\":[\"p\",\"q\"]}},{\"id\":\"b\",\"values\":[0.5,0,-1]}]}",
	"POST s/vectors/upsert\n{\"vectors\":[{\"id\":\"a\",\"sparseValues\":{\"indices\":[1,9],\"values\":[0.5,1]}}]}",
	"POST t/namespaces/__default__/documents/upsert\n{\"documents\":[{\"_id\":\"a\",\"body\":\"some words\",\"embedding\":[1,2,3],\"year\":2020}]}",
};

static void
check_reply(const Request *r)
{
	const Buffer *b = &r->reply.body;
	Arena arena = {0};
	const char *error = NULL;

	if (r->reply.status > 299 || b->len == 0 || (r->reply.type && strstr(r->reply.type, "json") == NULL))
		return;
	if (json_parse((Str){b->data, b->len}, &arena, &error) == NULL)
	{
		fprintf(stderr, "WRONG: a reply is no JSON: %s: %.*s\n", error ? error : "?", (int) b->len, b->data);
		abort();
	}
	arena_free(&arena);
}

static void
ask(const char *data, size_t size)
{
	const char *line = memchr(data, '\n', size);
	size_t end = line ? (size_t) (line - data) : size;
	const char *space = memchr(data, ' ', end);
	Request r = {0};
	char *method;

	if (space == NULL || space + 1 == data + end || memchr(data, '\0', end))
		return;
	method = mem_text((Str){data, (size_t) (space - data)});
	r.method = method;
	r.uri = (Str){mem_text((Str){space + 2, (size_t) (data + end - space - 2)}), (size_t) (data + end - space - 2)};
	switch (space[1])
	{
		case 'd':
			r.index = indexes[0];
			break;
		case 's':
			r.index = indexes[1];
			break;
		case 't':
			r.index = indexes[2];
			break;
		default:
			break;
	}
	r.version = "2026-07";
	r.api_key = "key";
	r.content_type = "application/json";
	r.reply.retry_after = -1;
	r.start_us = now_us();
	if (line)
		buffer_add(&r.body, line + 1, size - end - 1);
	r.body_bytes = r.body.len;
	if (split_uri(&r))
	{
		r.error_response = r.index && path_has_error_response(r.path);
		/* what makes an index opens a port */
		if (r.index != NULL || strcmp(r.method, "POST") != 0)
		{
			if (!respond(&r))
			{
				r.as_task = true;
				(void) respond(&r);
			}
			check_reply(&r);
		}
	}
	buffer_free(&r.body);
	buffer_free(&r.reply.body);
	arena_free(&r.arena);
	free((char *) r.uri.s);
	free(method);
}

static void
make_documents(void)
{
	static const char path[] = "fuzz_schema.json";
	FILE *file = fopen(path, "w");

	fputs("{\"fields\":{\"embedding\":{\"type\":\"dense_vector\",\"dimension\":3,\"metric\":\"cosine\"},\"words\":{\"type\":\"sparse_vector\"},"
		  "\"body\":{\"type\":\"string\",\"full_text_search\":{\"language\":\"en\"}}}}",
		  file);
	fclose(file);
	indexes[2] = load_schema("t", path);
	remove(path);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char key[] = "key"; /* it is made unreadable there */
	char *options[] = {"pinecone-local", "--port", "0", "--api-key", key, NULL};

	(void) argc;
	(void) argv;
	options_read(5, options);
	indexes[0] = index_new("d", DIMENSION, METRIC_DOTPRODUCT, false);
	indexes[1] = index_new("s", 0, METRIC_DOTPRODUCT, true);
	make_documents();
	if (indexes[2] == NULL)
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		ask(records[i], strlen(records[i]));
	ask((const char *) data, size);
	for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
	{
		index_lock(indexes[i]);
		while (indexes[i]->nnamespaces > 0)
			namespace_remove(indexes[i], indexes[i]->namespaces[0]);
		index_unlock(indexes[i]);
	}
	return 0;
}

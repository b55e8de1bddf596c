/*
 * convert.c
 *		The control plane: converting an index of vectors into one of documents.
 *
 * The copy is made at once; --assume conversion=slow says only that it takes half
 * a second.
 */
#include "document.h"

#include "catalog.h"
#include "facts.h"
#include "job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_US 500000

typedef struct Job Job;
struct Job
{
	Job *next; /* older */
	char id[JOB_ID], source_id[JOB_ID], target_id[JOB_ID];
	char *source, *target;
	bool abort, failed, cancelled;
	char error[200];
	uint64_t converted, skipped, total;
	int64_t created_wall_us, done_at;
};

static struct
{
	pthread_mutex_t lock;
	Job *newest;
} jobs = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- The copy ---- */

/* Fields go by their names; what the schema does not have is metadata. */
static bool
convert_metadata(Request *r, const Schema *schema, const Metadata *m, DocumentInput *in)
{
	uint32_t *taken = arena_alloc(&r->arena, sizeof(uint32_t) * (size_t) (schema->count + 1));
	int ntaken = 0;

	for (uint32_t i = 0; m && i < m->count; i++)
	{
		const SchemaField *f = schema_find(schema, m->fields[i].key);
		Str name = metadata_key_name(m->fields[i].key);

		if (!f && (name.len == 0 || name.len > 64 || name.s[0] == '_' || name.s[0] == '$'))
			return false;
		if (!f)
			continue;
		if (f->type != SCHEMA_STRING || m->fields[i].type != FIELD_STRING)
			return false;
		in->texts[f->text] = metadata_string(m, &m->fields[i]);
		if (in->texts[f->text].len == 0)
			in->texts[f->text].s = "";
		in->any_field = true;
		taken[ntaken++] = f->key;
	}
	in->metadata = metadata_without(m, taken, ntaken);
	return true;
}

static bool
convert_record(Request *r, const Index *source, const Namespace *ns, const Record *m, const Schema *schema, DocumentInput *in)
{
	in->id = m->id;
	in->texts = arena_alloc(&r->arena, sizeof(Str) * (size_t) (schema->ntexts + 1));
	memset(in->texts, 0, sizeof(Str) * (size_t) (schema->ntexts + 1));
	if (!convert_metadata(r, schema, m->metadata, in))
		return false;
	if (schema->dense && schema->dense->type == SCHEMA_DENSE && source->dimension)
	{
		in->values = mem_copy(namespace_vector(source, ns, m->row), sizeof(float) * (size_t) source->dimension);
		in->has_dense = in->any_field = true;
	}
	if (schema->sparse && schema->sparse->type == SCHEMA_SPARSE && m->sparse)
	{
		in->sparse = sparse_copy(m->sparse);
		in->any_field = true;
	}
	document_embed(schema, in);
	return in->any_field;
}

static void
convert_namespace(Request *r, const Index *source, const Namespace *ns, Index *target, Job *job)
{
	Cursor c = namespace_cursor(ns, STR(""), false);
	size_t bytes = sizeof(float) * (size_t) target->dimension;
	Record *m;

	namespace_make(target, str_of(ns->name))->created = ns->created;
	while (!job->failed && (m = cursor_next(&c)))
	{
		DocumentInput in = {0};
		Operation *op;

		job->total++;
		if (convert_record(r, source, ns, m, target->fields, &in))
		{
			op = operation_new(OP_UPSERT, namespace_make(target, str_of(ns->name)));
			op->values = mem_zero(bytes);
			if (in.has_dense)
				memcpy(op->values, in.values, bytes);
			op->records = mem_alloc(sizeof(Record *));
			op->records[op->nrecords++] = document_make(target->fields, &in);
			index_submit(target, op);
			job->converted++;
		}
		else if (job->abort)
		{
			job->failed = true;
			snprintf(job->error, sizeof(job->error), "Record '%.*s' does not fit the schema", (int) (m->id.len < 100 ? m->id.len : 100), m->id.s);
		}
		else
			job->skipped++;
		document_input_free(&in);
	}
}

/* ---- POST /indexes/{name}/convert ---- */

static bool
take_error_mode(Request *r, const JsonValue *mode, bool *abort)
{
	Str word = STR("abort");

	if (!control_take_string(r, mode, "on_error", &word))
		return false;
	*abort = str_is(word, "abort");
	return *abort || str_is(word, "continue") || control_bad(r, "on_error must be one of abort, continue.");
}

static bool
check_source(Request *r, const Index *source, const Schema *schema)
{
	if (source->fields)
		return control_bad(r, "Index '%s' has a document schema already.", source->name);
	if (source->environment)
		return control_bad(r, "Only serverless indexes can be converted.");
	if (now_us() < source->ready_at)
		return !reply_control_error(r, 412, "FAILED_PRECONDITION", "Index '%s' is not ready.", source->name);
	if (schema->dense && schema->dense->type == SCHEMA_DENSE && source->dimension && schema->dense->embed.dimension != source->dimension)
		return control_bad(r, "Field '%s' has dimension %d, but index '%s' has %d.", schema->dense->name, schema->dense->embed.dimension, source->name,
						   source->dimension);
	return true;
}

static Job *
new_job(const Index *source, const Index *target, bool abort)
{
	Job *job = mem_zero(sizeof(Job));

	job_make_id(job->id);
	memcpy(job->source_id, source->id, JOB_ID);
	memcpy(job->target_id, target->id, JOB_ID);
	job->source = mem_text(str_of(source->name));
	job->target = mem_text(str_of(target->name));
	job->abort = abort;
	job->created_wall_us = wall_us();
	return job;
}

static void
free_job(Job *job)
{
	free(job->source);
	free(job->target);
	free(job);
}

static void
run_job(Request *r, Index *source, Index *target, Job *job)
{
	/* What was acknowledged is copied, be it visible yet or not */
	index_flush(source);
	index_lock_shared(source);
	for (int i = 0; i < source->nnamespaces; i++)
		convert_namespace(r, source, source->namespaces[i], target, job);
	index_unlock(source);
	index_flush(target);
	job->done_at = now_us() + (fact(FACT_CONVERSION) ? SLOW_US : 0);
}

static void
add_job(Job *job)
{
	pthread_mutex_lock(&jobs.lock);
	job->next = jobs.newest;
	jobs.newest = job;
	pthread_mutex_unlock(&jobs.lock);
}

/*
 * Check everything, make the target index and convert what the source holds, and
 * only then tell others of the target; a job shows the progress.
 */
static void
convert(Request *r, Index *source)
{
	static const char *const known[] = {"name", "schema", "error_mode", "tags", "deletion_protection", "read_capacity", NULL};
	const JsonValue *body = control_body(r);
	const JsonValue *tags = json_present(body, "tags"), *capacity = json_present(body, "read_capacity");
	Str name = STR("");
	Schema *schema = NULL;
	Index *target;
	Job *job;
	bool abort, protected = false;

	if (!body || !control_check_keys(r, body, known) || !control_take_string(r, body, "name", &name) ||
		!control_take_protection(r, body, &protected) || !control_check_tags(r, tags) || !control_check_capacity(r, capacity) ||
		!take_error_mode(r, json_present(body, "error_mode"), &abort))
		return;
	if (name.len == 0)
		name = arena_printf(&r->arena, "index-%08x", (unsigned) random_u64());
	if (name.len > 45 || !control_is_name(name))
	{
		control_bad(r, "Index name must contain only lowercase alphanumeric characters or hyphens, must not begin or end with a hyphen, and must be at most 45 characters long.");
		return;
	}
	if (!(schema = schema_read(r, json_present(body, "schema"), false)) || !check_source(r, source, schema))
	{
		schema_free(schema);
		return;
	}
	target = schema_index(arena_printf(&r->arena, "%.*s", (int) name.len, name.s).s, schema);
	free(target->cloud);
	free(target->region);
	target->cloud = mem_text(str_of(source->cloud));
	target->region = mem_text(str_of(source->region));
	target->tags = tags && tags->count > 0 ? mem_text(tags->raw) : NULL;
	target->read_capacity = control_capacity(capacity);
	target->protected = protected;
	/* Until the answer is written */
	target->ready_at = INT64_MAX;
	job = new_job(source, target, abort);
	run_job(r, source, target, job);
	if (catalog_add(target, 0))
	{
		control_write_index(r, target);
		reply_body(r)->len--;
		buffer_printf(reply_body(r), ",\"conversion_job_id\":\"%s\"}", job->id);
		r->reply.status = 201;
		target->failed = job->failed;
		target->ready_at = job->done_at;
		add_job(job);
	}
	else
	{
		if (errno == EEXIST)
			reply_control_error(r, 409, "ALREADY_EXISTS", "Resource already exists");
		else
			reply_control_error(r, 500, "UNKNOWN", "could not open a port for the index: %s", strerror(errno));
		free_job(job);
	}
	index_release(target);
}

/* ---- /conversion-jobs ---- */

static bool
is_over(const Job *job)
{
	return job->cancelled || now_us() >= job->done_at;
}

static void
write_job(Buffer *b, const Job *job)
{
	bool over = is_over(job);
	uint64_t done = over ? job->converted : job->converted / 2;

	buffer_printf(b, "{\"conversion_job_id\":\"%s\",\"source_index_id\":\"%s\",\"source_index_name\":\"%s\",\"target_index_id\":\"%s\",\"target_index_name\":\"%s\"",
				  job->id, job->source_id, job->source, job->target_id, job->target);
	buffer_printf(b, ",\"status\":\"%s\",\"error_mode\":{\"on_error\":\"%s\"}", !over ? "InProgress" : job->cancelled ? "Cancelled" :
																								   job->failed		  ? "Failed" :
																														"Completed",
				  job->abort ? "abort" : "continue");
	buffer_printf(b, ",\"percent_complete\":%s,\"records_converted\":%llu,\"records_skipped\":%llu,\"created_at\":", !over ? "50.0" : job->failed || job->cancelled ? "99.0" :
																																									  "100.0",
				  (unsigned long long) done, (unsigned long long) job->skipped);
	job_write_time(b, job->created_wall_us);
	if (over && job->failed)
	{
		buffer_add_text(b, ",\"error\":");
		json_add_any_string(b, str_of(job->error));
	}
	buffer_add_char(b, '}');
}

static void
list_jobs(Request *r)
{
	JobPage page;

	if (!job_page_begin(r, &page))
		return;
	pthread_mutex_lock(&jobs.lock);
	for (Job *job = jobs.newest; job && !page.more; job = job->next)
	{
		if (job_page_takes(r, &page))
			write_job(reply_body(r), job);
	}
	pthread_mutex_unlock(&jobs.lock);
	job_page_end(r, &page);
}

static void
one_job(Request *r, Str id, bool cancel)
{
	Job *job;
	Index *target = NULL;

	pthread_mutex_lock(&jobs.lock);
	job = jobs.newest;
	while (job && !str_is(id, job->id))
		job = job->next;
	if (!job)
		reply_control_error(r, 404, "NOT_FOUND", "Conversion job %.*s not found", (int) id.len, id.s);
	else if (cancel && is_over(job))
		control_bad(r, "Conversion job %s is not in progress", job->id);
	else if (cancel)
	{
		job->cancelled = true;
		target = catalog_find(str_of(job->target));
		r->reply.status = 202;
		buffer_add_text(reply_body(r), "{}");
	}
	else
		write_job(reply_body(r), job);
	pthread_mutex_unlock(&jobs.lock);
	if (target)
		target->failed = true;
	index_release(target);
}

static bool
ends_with(Str s, const char *end)
{
	return s.len > strlen(end) && memcmp(s.s + s.len - strlen(end), end, strlen(end)) == 0;
}

bool
convert_respond(Request *r)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0, delete = strcmp(r->method, "DELETE") == 0;
	Str rest, name;
	Index *source;

	if (post && r->path.len > 9 && memcmp(r->path.s, "/indexes/", 9) == 0 && ends_with(r->path, "/convert"))
	{
		rest = (Str){r->path.s + 9, r->path.len - 9 - 8};
		if (rest.len == 0 || rest.len > r->path.len || !url_decode(&r->arena, rest, false, &name))
			return false;
		if (!(source = catalog_find(name)))
			return reply_control_error(r, 404, "NOT_FOUND", "Resource %.*s not found", (int) name.len, name.s);
		convert(r, source);
		index_release(source);
		return true;
	}
	if (get && str_is(r->path, "/conversion-jobs"))
	{
		list_jobs(r);
		return true;
	}
	if (r->path.len <= 17 || memcmp(r->path.s, "/conversion-jobs/", 17) != 0)
		return false;
	rest = (Str){r->path.s + 17, r->path.len - 17};
	if (post && ends_with(rest, "/cancel"))
		one_job(r, (Str){rest.s, rest.len - 7}, true);
	else if (get || delete)
		one_job(r, rest, delete);
	else
		return false;
	return true;
}

void
convert_end(void)
{
	while (jobs.newest)
	{
		Job *next = jobs.newest->next;

		free_job(jobs.newest);
		jobs.newest = next;
	}
}

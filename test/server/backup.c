/*
 * backup.c
 *		The control plane: backups of indexes, and indexes made from them.
 *
 * A backup is an index that nobody serves.  It holds what was acknowledged when it
 * was asked for, and outlives its source; --save does not keep it.  Both ways the
 * copy is made at once: --assume backup=slow says only that it takes half a second.
 */
#include "schema.h"

#include "catalog.h"
#include "facts.h"
#include "job.h"
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOW_US 500000

typedef struct Backup Backup;
struct Backup
{
	Backup *next; /* older */
	char id[JOB_ID], source_id[JOB_ID];
	Index *copy; /* its name is the source's */
	char *name, *description;
	uint64_t records, bytes;
	int64_t created_wall_us, ready_at;
};

typedef struct Restore Restore;
struct Restore
{
	Restore *next; /* older */
	char id[JOB_ID], backup_id[JOB_ID], target_id[JOB_ID];
	char *target;
	int64_t created_wall_us, done_wall_us, done_at;
};

static struct
{
	pthread_mutex_t lock;
	Backup *newest;
	Restore *newest_restore;
} backups = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t
delay_us(void)
{
	return fact(FACT_BACKUP) ? SLOW_US : 0;
}

/* ---- Copies ---- */

static char *
copy_text(const char *text)
{
	return text ? mem_text(str_of(text)) : NULL;
}

/* An index described as another one is, without what its tags and reading are. */
static Index *
copy_description(const Index *from, const char *name)
{
	Index *index = index_new(name, from->dimension, from->metric, from->sparse);

	free(index->cloud);
	free(index->region);
	index->cloud = copy_text(from->cloud);
	index->region = copy_text(from->region);
	index->environment = copy_text(from->environment);
	index->cmek_id = copy_text(from->cmek_id);
	index->schema = copy_text(from->schema);
	if (from->nschema_keys)
		index->schema_keys = mem_copy(from->schema_keys, sizeof(uint32_t) * (size_t) from->nschema_keys);
	index->nschema_keys = from->nschema_keys;
	index->has_sparse_field = from->has_sparse_field;
	index->fields = schema_share(from->fields);
	index->integrated = integrated_copy(from->integrated);
	return index;
}

/* Namespaces with what was declared of them, and all records */
static void
copy_contents(Index *from, Index *to)
{
	index_lock_shared(from);
	index_lock(to);
	index_copy_records(from, to);
	for (int i = 0; i < from->nnamespaces; i++)
	{
		const Namespace *ns = from->namespaces[i];
		Namespace *copy = namespace_make(to, str_of(ns->name));

		copy->created = ns->created;
		copy->schema = copy_text(ns->schema);
		if (ns->nschema_keys)
			copy->schema_keys = mem_copy(ns->schema_keys, sizeof(uint32_t) * (size_t) ns->nschema_keys);
		copy->nschema_keys = ns->nschema_keys;
	}
	index_unlock(to);
	index_unlock(from);
}

static void
measure(Backup *backup)
{
	const Index *copy = backup->copy;

	for (int i = 0; i < copy->nnamespaces; i++)
	{
		const Namespace *ns = copy->namespaces[i];

		backup->records += ns->count;
		backup->bytes += ns->bytes + (uint64_t) ns->count * (uint64_t) copy->dimension * sizeof(float);
	}
}

static void
free_backup(Backup *backup)
{
	index_release(backup->copy);
	free(backup->name);
	free(backup->description);
	free(backup);
}

/* ---- What they look like ---- */

static void
write_text(Buffer *b, const char *name, const char *text)
{
	buffer_printf(b, ",\"%s\":", name);
	if (text)
		json_add_string(b, str_of(text));
	else
		buffer_add_text(b, "null");
}

static void
write_backup(Request *r, const Backup *backup)
{
	Buffer *b = reply_body(r);
	const Index *copy = backup->copy;

	buffer_printf(b, "{\"backup_id\":\"%s\",\"source_index_name\":", backup->id);
	json_add_string(b, str_of(copy->name));
	buffer_printf(b, ",\"source_index_id\":\"%s\",\"status\":\"%s\"", backup->source_id, now_us() < backup->ready_at ? "Initializing" : "Ready");
	write_text(b, "name", backup->name);
	write_text(b, "description", backup->description);
	write_text(b, "cloud", copy->cloud);
	write_text(b, "region", copy->region);
	if (control_has_schemas(r) || copy->fields)
	{
		buffer_add_text(b, ",\"schema\":");
		control_write_schema(b, copy);
	}
	else
	{
		if (!copy->sparse)
			buffer_printf(b, ",\"dimension\":%d", copy->dimension);
		buffer_printf(b, ",\"metric\":\"%s\"", metric_name(copy->metric));
		if (copy->schema)
			buffer_printf(b, ",\"schema\":%s", copy->schema);
	}
	buffer_printf(b, ",\"record_count\":%llu,\"namespace_count\":%d,\"size_bytes\":%llu,\"tags\":%s,\"created_at\":", (unsigned long long) backup->records,
				  copy->nnamespaces, (unsigned long long) backup->bytes, copy->tags ? copy->tags : "null");
	job_write_time(b, backup->created_wall_us);
	buffer_add_char(b, '}');
}

static void
write_restore(Buffer *b, const Restore *restore)
{
	bool over = now_us() >= restore->done_at;

	buffer_printf(b, "{\"restore_job_id\":\"%s\",\"backup_id\":\"%s\",\"target_index_name\":", restore->id, restore->backup_id);
	json_add_string(b, str_of(restore->target));
	buffer_printf(b, ",\"target_index_id\":\"%s\",\"status\":\"%s\",\"created_at\":", restore->target_id, over ? "Completed" : "InProgress");
	job_write_time(b, restore->created_wall_us);
	if (over)
	{
		buffer_add_text(b, ",\"completed_at\":");
		job_write_time(b, restore->done_wall_us);
	}
	buffer_printf(b, ",\"percent_complete\":%s}", over ? "100.0" : "50.0");
}

static bool
not_found(Request *r, const char *what, Str id)
{
	return reply_control_error(r, 404, "NOT_FOUND", "%s %.*s not found.", what, (int) id.len, id.s);
}

/* ---- /indexes/{name}/backups ---- */

static bool
make_backup(Request *r, Index *source)
{
	static const char *const known[] = {"name", "description", NULL};
	const JsonValue *body = control_body(r);
	Str name = STR(""), description = STR("");
	Backup *backup;

	if (!body || !control_check_keys(r, body, known) || !control_take_string(r, body, "name", &name) ||
		!control_take_string(r, body, "description", &description))
		return true;
	if (now_us() < source->ready_at)
		return reply_control_error(r, 412, "FAILED_PRECONDITION", "Index '%s' is not ready.", source->name);
	backup = mem_zero(sizeof(Backup));
	job_make_id(backup->id);
	memcpy(backup->source_id, source->id, JOB_ID);
	backup->copy = copy_description(source, source->name);
	backup->copy->tags = copy_text(source->tags);
	backup->name = name.len ? mem_text(name) : NULL;
	backup->description = description.len ? mem_text(description) : NULL;
	/* What was acknowledged is in it, be it visible yet or not */
	index_flush(source);
	copy_contents(source, backup->copy);
	measure(backup);
	backup->created_wall_us = wall_us();
	backup->ready_at = now_us() + delay_us();
	pthread_mutex_lock(&backups.lock);
	backup->next = backups.newest;
	backups.newest = backup;
	write_backup(r, backup);
	pthread_mutex_unlock(&backups.lock);
	r->reply.status = 201;
	return true;
}

/* All, or those of an index by its id */
static bool
list_backups(Request *r, const char *source_id)
{
	JobPage page;

	if (!job_page_begin(r, &page))
		return true;
	pthread_mutex_lock(&backups.lock);
	for (Backup *backup = backups.newest; backup && !page.more; backup = backup->next)
	{
		if ((!source_id || strcmp(source_id, backup->source_id) == 0) && job_page_takes(r, &page))
			write_backup(r, backup);
	}
	pthread_mutex_unlock(&backups.lock);
	job_page_end(r, &page);
	return true;
}

static bool
backups_of(Request *r, Str name, bool get)
{
	Index *index = catalog_find(name);

	if (!index)
		return not_found(r, "Index", name);
	if (get)
		list_backups(r, index->id);
	else
		make_backup(r, index);
	index_release(index);
	return true;
}

/* ---- /backups/{id} ---- */

/* Under the lock: where a backup is linked from, or NULL. */
static Backup **
find_backup(Str id)
{
	for (Backup **link = &backups.newest; *link; link = &(*link)->next)
	{
		if (str_is(id, (*link)->id))
			return link;
	}
	return NULL;
}

static bool
is_being_restored(const Backup *backup)
{
	for (const Restore *restore = backups.newest_restore; restore; restore = restore->next)
	{
		if (strcmp(restore->backup_id, backup->id) == 0 && now_us() < restore->done_at)
			return true;
	}
	return false;
}

static bool
one_backup(Request *r, Str id, bool get)
{
	Backup **link, *backup;

	pthread_mutex_lock(&backups.lock);
	link = find_backup(id);
	if (!link)
		not_found(r, "Backup", id);
	else if (get)
		write_backup(r, *link);
	else if (is_being_restored(*link))
		reply_control_error(r, 412, "FAILED_PRECONDITION", "Backup %s cannot be deleted while an index is restored from it.", (*link)->id);
	else
	{
		backup = *link;
		*link = backup->next;
		free_backup(backup);
		r->reply.status = 202;
	}
	pthread_mutex_unlock(&backups.lock);
	return true;
}

/* ---- /backups/{id}/create-index ---- */

/* A copy of the index in the backup, held by the caller; NULL: the reply holds the error */
static Index *
hold_copy(Request *r, Str id)
{
	Index *copy = NULL;
	Backup **link;

	pthread_mutex_lock(&backups.lock);
	link = find_backup(id);
	if (!link)
		not_found(r, "Backup", id);
	else if (now_us() < (*link)->ready_at)
		reply_control_error(r, 412, "FAILED_PRECONDITION", "Backup %s is not ready.", (*link)->id);
	else
	{
		copy = (*link)->copy;
		index_hold(copy);
	}
	pthread_mutex_unlock(&backups.lock);
	return copy;
}

/* Serve the new index, and tell of the job. */
static void
start_restore(Request *r, Index *target, Str backup_id)
{
	Restore *restore;
	int64_t takes;

	target->ready_at = now_us() + delay_us() + (int64_t) settings.ready_delay_ms * 1000;
	if (!catalog_add(target, 0))
	{
		if (errno == EEXIST)
			reply_control_error(r, 409, "ALREADY_EXISTS", "Resource already exists");
		else
			reply_control_error(r, 500, "UNKNOWN", "could not open a port for the index: %s", strerror(errno));
		return;
	}
	restore = mem_zero(sizeof(Restore));
	job_make_id(restore->id);
	memcpy(restore->target_id, target->id, JOB_ID);
	snprintf(restore->backup_id, JOB_ID, "%.*s", (int) backup_id.len, backup_id.s);
	restore->target = copy_text(target->name);
	restore->created_wall_us = wall_us();
	restore->done_at = target->ready_at;
	takes = target->ready_at - now_us();
	restore->done_wall_us = restore->created_wall_us + (takes > 0 ? takes : 0);
	pthread_mutex_lock(&backups.lock);
	restore->next = backups.newest_restore;
	backups.newest_restore = restore;
	pthread_mutex_unlock(&backups.lock);
	buffer_printf(reply_body(r), "{\"restore_job_id\":\"%s\",\"index_id\":\"%s\"}", restore->id, restore->target_id);
	r->reply.status = 202;
}

static bool
restore_backup(Request *r, Str id)
{
	static const char *const known[] = {"name", "tags", "deletion_protection", "read_capacity", NULL};
	const JsonValue *body = control_body(r), *tags = json_present(body, "tags"), *capacity = json_present(body, "read_capacity");
	Str name = STR("");
	bool protected = false;
	Index *copy, *target;

	if (!body || !control_check_keys(r, body, known) || !control_take_string(r, body, "name", &name) ||
		!control_take_protection(r, body, &protected) || !control_check_tags(r, tags) || !control_check_capacity(r, capacity) ||
		!(copy = hold_copy(r, id)))
		return true;
	if (!json_present(body, "name"))
		control_unread(r, "missing field", "name");
	else if (name.len > 45 || !control_is_name(name))
		control_bad(r, "Index name must contain only lowercase alphanumeric characters or hyphens, must not begin or end with a hyphen, and must be at most 45 characters long.");
	else
	{
		target = copy_description(copy, arena_printf(&r->arena, "%.*s", (int) name.len, name.s).s);
		target->tags = !tags ? copy_text(copy->tags) : tags->count > 0 ? mem_text(tags->raw) :
																		 NULL;
		target->read_capacity = control_capacity(capacity);
		target->protected = protected;
		copy_contents(copy, target);
		start_restore(r, target, id);
		index_release(target);
	}
	index_release(copy);
	return true;
}

/* ---- /restore-jobs ---- */

static bool
list_restores(Request *r)
{
	JobPage page;

	if (!job_page_begin(r, &page))
		return true;
	pthread_mutex_lock(&backups.lock);
	for (Restore *restore = backups.newest_restore; restore && !page.more; restore = restore->next)
	{
		if (job_page_takes(r, &page))
			write_restore(reply_body(r), restore);
	}
	pthread_mutex_unlock(&backups.lock);
	job_page_end(r, &page);
	return true;
}

static bool
one_restore(Request *r, Str id)
{
	const Restore *restore;

	pthread_mutex_lock(&backups.lock);
	restore = backups.newest_restore;
	while (restore && !str_is(id, restore->id))
		restore = restore->next;
	if (restore)
		write_restore(reply_body(r), restore);
	else
		not_found(r, "Restore job", id);
	pthread_mutex_unlock(&backups.lock);
	return true;
}

bool
backup_respond(Request *r)
{
	bool get = strcmp(r->method, "GET") == 0, post = strcmp(r->method, "POST") == 0, delete = strcmp(r->method, "DELETE") == 0;
	Path path;

	if (!control_split_path(r, &path))
		return false;
	if ((get || post) && path_is(&path, "indexes", 3) && str_is(path.parts[2], "backups"))
		return backups_of(r, path.parts[1], get);
	if (get && path_is(&path, "backups", 1))
		return list_backups(r, NULL);
	if ((get || delete) && path_is(&path, "backups", 2))
		return one_backup(r, path.parts[1], get);
	if (post && path_is(&path, "backups", 3) && str_is(path.parts[2], "create-index"))
		return restore_backup(r, path.parts[1]);
	if (get && path_is(&path, "restore-jobs", 1))
		return list_restores(r);
	return get && path_is(&path, "restore-jobs", 2) && one_restore(r, path.parts[1]);
}

void
backup_end(void)
{
	while (backups.newest)
	{
		Backup *next = backups.newest->next;

		free_backup(backups.newest);
		backups.newest = next;
	}
	while (backups.newest_restore)
	{
		Restore *next = backups.newest_restore->next;

		free(backups.newest_restore->target);
		free(backups.newest_restore);
		backups.newest_restore = next;
	}
}

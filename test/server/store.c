/*
 * store.c
 *		Indexes, their namespaces, and the writes to them.
 */
#include "alias.h"
#include "document.h"
#include "filter.h"
#include "job.h"
#include "order.h"
#include "settings.h"
#include "texts.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes of a block of rows, about: whole huge pages when there are many */
#define BLOCK_BYTES (4u << 20)

_Atomic int store_lag_ms[LAGS];

static void namespace_free(Index *index, Namespace *ns);
static void apply_due(Index *index, int64_t now);
static void put_record(Index *index, Namespace *ns, Record *r, const float *values);
static void queue(Index *index, Operation *op, Lag lag);
static void namespace_clear(Namespace *ns);

const char *
metric_name(Metric metric)
{
	return metric == METRIC_COSINE ? "cosine" : metric == METRIC_DOTPRODUCT ? "dotproduct" :
																			  "euclidean";
}

bool
metric_of_name(Str name, Metric *metric)
{
	for (*metric = METRIC_COSINE; *metric <= METRIC_EUCLIDEAN; (*metric)++)
	{
		if (str_is(name, metric_name(*metric)))
			return true;
	}
	return false;
}

Index *
index_new(const char *name, int dimension, Metric metric, bool sparse)
{
	Index *index = mem_zero(sizeof(Index));
	pthread_rwlockattr_t attr;

	index->name = mem_text(str_of(name));
	job_make_id(index->id);
	index->dimension = dimension;
	index->metric = metric;
	index->sparse = sparse;
	index->listen_fd = -1;
	index->references = 1;
	index->cloud = mem_text(str_of(settings.cloud));
	index->region = mem_text(str_of(settings.region));
	if (dimension)
	{
		uint32_t row_bytes = (uint32_t) dimension * sizeof(float);

		index->rows_in_block = BLOCK_BYTES / row_bytes;
	}
	/* A writer must not wait for a stream of readers to end */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&index->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return index;
}

void
index_hold(Index *index)
{
	atomic_fetch_add(&index->references, 1);
}

void
index_release(Index *index)
{
	if (!index || atomic_fetch_sub(&index->references, 1) > 1)
		return;
	while (index->pending)
	{
		Operation *next = index->pending->next;

		operation_free(index->pending);
		index->pending = next;
	}
	for (int i = 0; i < LAGS; i++)
		index_release(index->replicas[i]);
	for (int i = 0; i < index->nnamespaces; i++)
		namespace_free(index, index->namespaces[i]);
	free(index->namespaces);
	aliases_free(index);
	pthread_rwlock_destroy(&index->lock);
	free(index->name);
	free(index->tags);
	free(index->cloud);
	free(index->region);
	free(index->environment);
	free(index->read_capacity);
	free(index->schema);
	free(index->schema_keys);
	schema_free(index->fields);
	integrated_free(index->integrated);
	free(index->cmek_id);
	free(index);
}

void
index_lock(Index *index)
{
	pthread_rwlock_wrlock(&index->lock);
	apply_due(index, now_us());
}

void
index_lock_shared(Index *index)
{
	if (index->pending_count > 0)
	{
		index_lock(index);
		index_unlock(index);
	}
	pthread_rwlock_rdlock(&index->lock);
}

void
index_unlock(Index *index)
{
	pthread_rwlock_unlock(&index->lock);
}

void
index_flush(Index *index)
{
	pthread_rwlock_wrlock(&index->lock);
	apply_due(index, INT64_MAX);
	for (int lag = 0; lag < LAGS; lag++)
		index->replica_current[lag] = false;
	pthread_rwlock_unlock(&index->lock);
}

/* ---- Replicas ---- */

void
index_copy_records(Index *index, Index *replica)
{
	for (int i = 0; i < replica->nnamespaces; i++)
	{
		namespace_clear(replica->namespaces[i]);
		replica->namespaces[i]->visible = false;
	}
	for (int i = 0; i < index->nnamespaces; i++)
	{
		const Namespace *from = index->namespaces[i];
		Namespace *to = namespace_make(replica, str_of(from->name));

		for (uint32_t row = 0; row < from->count; row++)
			put_record(replica, to, record_copy(from->rows[row], index->dimension),
					   index->dimension ? namespace_vector(index, from, row) : NULL);
		to->visible = from->visible;
		to->lsn = from->lsn;
		to->applied_lsn = from->applied_lsn;
	}
}

/* Under the index's exclusive lock: a replica that has had all writes so far. */
static Index *
current_replica(Index *index, Lag lag)
{
	Index *replica = index->replicas[lag];

	if (!replica)
	{
		replica = index->replicas[lag] = index_new(index->name, index->dimension, index->metric, index->sparse);
		replica->fields = schema_share(index->fields);
	}
	if (!index->replica_current[lag])
	{
		index_flush(replica);
		pthread_rwlock_wrlock(&replica->lock);
		index_copy_records(index, replica);
		pthread_rwlock_unlock(&replica->lock);
		index->replica_current[lag] = true;
	}
	return replica;
}

static void
write_to_replicas(Index *index, const Operation *op)
{
	for (int lag = LAG_SEARCH + 1; lag < LAGS; lag++)
	{
		Index *replica;

		if (store_lag_ms[lag] == store_lag_ms[LAG_SEARCH])
		{
			index->replica_current[lag] = false;
			continue;
		}
		replica = current_replica(index, (Lag) lag);
		index_lock(replica);
		queue(replica, operation_copy(op, namespace_make(replica, str_of(op->ns->name)), index->dimension), (Lag) lag);
		index_unlock(replica);
	}
}

Index *
index_seen_by(Index *index, Lag lag)
{
	Index *seen = index;

	pthread_rwlock_rdlock(&index->lock);
	if (index->replica_current[lag] && store_lag_ms[lag] != store_lag_ms[LAG_SEARCH])
		seen = index->replicas[lag];
	pthread_rwlock_unlock(&index->lock);
	return seen;
}

/* ---- Namespaces ---- */

Str
namespace_canonical(Str name)
{
	return str_is(name, "__default__") ? STR("") : name;
}

/* Where a namespace is among the others, or would be. */
static int
namespace_position(Index *index, Str name, bool *found)
{
	int low = 0, high = index->nnamespaces;

	*found = false;
	while (low < high)
	{
		int middle = (low + high) / 2;
		int c = str_compare(str_of(index->namespaces[middle]->name), name);

		if (c == 0)
		{
			*found = true;
			return middle;
		}
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

Namespace *
namespace_find(Index *index, Str name)
{
	bool found;
	int at = namespace_position(index, namespace_canonical(name), &found);

	return found ? index->namespaces[at] : NULL;
}

Namespace *
namespace_make(Index *index, Str name)
{
	bool found;
	int at = namespace_position(index, namespace_canonical(name), &found);
	Namespace *ns;

	if (found)
		return index->namespaces[at];
	ns = mem_zero(sizeof(Namespace));
	ns->name = mem_text(namespace_canonical(name));
	ns->order = order_new();
	ns->nslots = 16;
	ns->slots = mem_zero(ns->nslots * sizeof(uint32_t));
	index->namespaces = mem_resize(index->namespaces, sizeof(Namespace *) * (size_t) (index->nnamespaces + 1));
	memmove(index->namespaces + at + 1, index->namespaces + at, sizeof(Namespace *) * (size_t) (index->nnamespaces - at));
	index->namespaces[at] = ns;
	index->nnamespaces++;
	return ns;
}

static void
free_blocks(Namespace *ns, uint32_t keep)
{
	while (ns->nblocks > keep)
		munmap(ns->blocks[--ns->nblocks], BLOCK_BYTES);
}

static void
namespace_clear(Namespace *ns)
{
	for (uint32_t i = 0; i < ns->count; i++)
		record_free(ns->rows[i]);
	free_blocks(ns, 0);
	order_free(ns->order);
	texts_free(ns);
	ns->order = order_new();
	memset(ns->slots, 0, ns->nslots * sizeof(uint32_t));
	ns->count = 0;
	ns->bytes = 0;
}

static void
namespace_free(Index *index, Namespace *ns)
{
	(void) index;
	namespace_clear(ns);
	order_free(ns->order);
	free(ns->blocks);
	free(ns->rows);
	free(ns->norms);
	free(ns->slots);
	free(ns->schema);
	free(ns->schema_keys);
	free(ns->name);
	free(ns);
}

void
namespace_remove(Index *index, Namespace *ns)
{
	bool found;
	int at = namespace_position(index, str_of(ns->name), &found);
	Operation **link = &index->pending;

	for (int lag = 0; lag < LAGS; lag++)
	{
		Namespace *other;

		if (!index->replicas[lag])
			continue;
		index_lock(index->replicas[lag]);
		if ((other = namespace_find(index->replicas[lag], str_of(ns->name))))
			namespace_remove(index->replicas[lag], other);
		index_unlock(index->replicas[lag]);
	}
	index->pending_tail = NULL;
	while (*link)
	{
		Operation *op = *link;

		if (op->ns == ns)
		{
			*link = op->next;
			operation_free(op);
			index->pending_count--;
			continue;
		}
		index->pending_tail = op;
		link = &op->next;
	}
	index->nnamespaces--;
	memmove(index->namespaces + at, index->namespaces + at + 1, sizeof(Namespace *) * (size_t) (index->nnamespaces - at));
	namespace_free(index, ns);
}

/* ---- Records by id: open addressing, the hash of an id is made again when needed ---- */

static uint32_t
find_slot(const Namespace *ns, Str id)
{
	uint32_t i = (uint32_t) hash_bytes(id.s, id.len) & (ns->nslots - 1);

	while (ns->slots[i] && !str_equal(ns->rows[ns->slots[i] - 1]->id, id))
		i = (i + 1) & (ns->nslots - 1);
	return i;
}

Record *
namespace_get(const Namespace *ns, Str id)
{
	uint32_t slot = ns->slots[find_slot(ns, id)];

	return slot ? ns->rows[slot - 1] : NULL;
}

static void
grow_slots(Namespace *ns)
{
	free(ns->slots);
	ns->nslots *= 2;
	ns->slots = mem_zero(ns->nslots * sizeof(uint32_t));
	for (uint32_t row = 0; row < ns->count; row++)
		ns->slots[find_slot(ns, ns->rows[row]->id)] = row + 1;
}

/* Empty a slot, and move up what would not be found behind the gap. */
static void
clear_slot(Namespace *ns, uint32_t gap)
{
	uint32_t i = gap, mask = ns->nslots - 1;

	for (;;)
	{
		uint32_t home;

		ns->slots[gap] = 0;
		do
		{
			i = (i + 1) & mask;
			if (!ns->slots[i])
				return;
			home = (uint32_t) hash_bytes(ns->rows[ns->slots[i] - 1]->id.s, ns->rows[ns->slots[i] - 1]->id.len) & mask;
		}
		while (((i - home) & mask) < ((i - gap) & mask));
		ns->slots[gap] = ns->slots[i];
		gap = i;
	}
}

/* ---- Rows ---- */

static void
add_block(Namespace *ns)
{
	void *block = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
	{
		(void) !write(STDERR_FILENO, "pinecone-local: out of memory\n", 30);
		abort();
	}
	/* The first block may stay small, the others get full */
	if (ns->nblocks > 0)
		madvise(block, BLOCK_BYTES, MADV_HUGEPAGE);
	ns->blocks = mem_resize(ns->blocks, sizeof(float *) * (ns->nblocks + 1));
	ns->blocks[ns->nblocks++] = block;
}

void
namespace_set_vector(Index *index, Namespace *ns, uint32_t row, const float *values)
{
	double square = 0;

	if (!index->dimension)
		return;
	while (ns->nblocks <= row / index->rows_in_block)
		add_block(ns);
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): who has a dimension has values */
	memcpy(namespace_vector(index, ns, row), values, sizeof(float) * (size_t) index->dimension);
	for (int i = 0; i < index->dimension; i++)
		square += (double) values[i] * values[i];
	ns->norms[row] = (float) sqrt(square);
}

static void
put_record(Index *index, Namespace *ns, Record *r, const float *values)
{
	uint32_t slot = find_slot(ns, r->id);

	if (ns->slots[slot])
	{
		Record *old = ns->rows[ns->slots[slot] - 1];

		r->row = old->row;
		ns->bytes -= record_size(old);
		texts_remove(index, ns, old);
		order_replace(ns->order, r);
		ns->rows[r->row] = r;
		record_free(old);
	}
	else
	{
		if (ns->count == ns->size)
		{
			ns->size = ns->size ? ns->size * 2 : 16;
			ns->rows = mem_resize(ns->rows, ns->size * sizeof(Record *));
			ns->norms = mem_resize(ns->norms, ns->size * sizeof(float));
		}
		r->row = ns->count++;
		ns->rows[r->row] = r;
		ns->slots[slot] = r->row + 1;
		order_insert(ns->order, r);
		if (ns->count > ns->nslots / 2)
			grow_slots(ns);
	}
	ns->bytes += record_size(r);
	namespace_set_vector(index, ns, r->row, values);
	texts_add(index, ns, r);
}

static void
remove_record(Index *index, Namespace *ns, Record *r)
{
	uint32_t last = ns->count - 1;

	texts_remove(index, ns, r);
	order_remove(ns->order, r);
	clear_slot(ns, find_slot(ns, r->id));
	if (r->row != last)
	{
		Record *moved = ns->rows[last];

		ns->slots[find_slot(ns, moved->id)] = r->row + 1;
		ns->rows[r->row] = moved;
		ns->norms[r->row] = ns->norms[last];
		if (index->dimension)
			memcpy(namespace_vector(index, ns, r->row), namespace_vector(index, ns, last),
				   sizeof(float) * (size_t) index->dimension);
		moved->row = r->row;
	}
	ns->count--;
	ns->bytes -= record_size(r);
	if (index->dimension)
		free_blocks(ns, (ns->count + index->rows_in_block - 1) / index->rows_in_block);
	record_free(r);
}

/* ---- Operations ---- */

static void
update_record(Index *index, Namespace *ns, Record *r, Operation *op)
{
	ns->bytes -= record_size(r);
	if (op->values)
		namespace_set_vector(index, ns, r->row, op->values);
	if (op->sparse)
	{
		free(r->sparse);
		r->sparse = op->sparse;
		op->sparse = NULL;
	}
	if (op->metadata)
	{
		Metadata *merged = metadata_merge(r->metadata, op->metadata);

		free(r->metadata);
		r->metadata = merged;
	}
	record_update(r, op->values, index->dimension);
	ns->bytes += record_size(r);
}

/* The id at *at, which moves on to the next */
static Str
next_id(const char **at)
{
	return metadata_next_string(at);
}

static void
apply_matching(Index *index, Namespace *ns, Operation *op)
{
	if (op->kind == OP_DELETE_MATCHING)
	{
		/* From the end, for the last row moves into the gap */
		for (uint32_t row = ns->count; row-- > 0;)
		{
			if (record_matches(op->filter, ns->rows[row]))
				remove_record(index, ns, ns->rows[row]);
		}
		return;
	}
	for (Cursor c = namespace_cursor(ns, STR(""), false); op->limit > 0;)
	{
		Record *r = cursor_next(&c);

		if (!r)
			break;
		if (record_matches(op->filter, r))
		{
			if (op->kind == OP_PATCH_MATCHING)
				document_patch(index, ns, r, op->patches[0], false);
			else
				update_record(index, ns, r, op);
			op->limit--;
		}
	}
}

/* Carry out an operation whose time has come, and drop it. */
static void
apply(Index *index, Operation *op)
{
	Namespace *ns = op->ns;
	const char *at = op->ids;
	Record *r;

	switch (op->kind)
	{
		case OP_UPSERT:
			for (int i = 0; i < op->nrecords; i++)
				put_record(index, ns, op->records[i], index->dimension ? op->values + (size_t) i * (size_t) index->dimension : NULL);
			op->nrecords = 0;
			break;
		case OP_UPDATE:
			if ((r = namespace_get(ns, next_id(&at))))
				update_record(index, ns, r, op);
			break;
		case OP_DELETE_IDS:
			for (int i = 0; i < op->nids; i++)
			{
				if ((r = namespace_get(ns, next_id(&at))))
					remove_record(index, ns, r);
			}
			break;
		case OP_DELETE_ALL:
			namespace_clear(ns);
			break;
		case OP_PATCH:
			for (int i = 0; i < op->npatches; i++)
			{
				if ((r = namespace_get(ns, op->patches[i]->id)))
					document_patch(index, ns, r, op->patches[i], true);
			}
			break;
		case OP_UPDATE_MATCHING:
		case OP_DELETE_MATCHING:
		case OP_PATCH_MATCHING:
			apply_matching(index, ns, op);
	}
	ns->applied_lsn = op->lsn;
	if (op->kind == OP_UPSERT)
		ns->visible = true;
	operation_free(op);
}

/* Under the exclusive lock */
static void
apply_due(Index *index, int64_t now)
{
	while (index->pending && index->pending->due <= now)
	{
		Operation *op = index->pending;

		index->pending = op->next;
		if (!index->pending)
			index->pending_tail = NULL;
		index->pending_count--;
		apply(index, op);
	}
}

/* Apply a write, now or when it is due. */
static void
queue(Index *index, Operation *op, Lag lag)
{
	int64_t due = now_us() + (int64_t) store_lag_ms[lag] * 1000;

	if (store_lag_ms[lag] == 0 && !index->pending)
	{
		apply(index, op);
		return;
	}
	op->due = index->pending_tail && index->pending_tail->due > due ? index->pending_tail->due : due;
	op->next = NULL;
	if (index->pending_tail)
		index->pending_tail->next = op;
	else
		index->pending = op;
	index->pending_tail = op;
	index->pending_count++;
}

uint64_t
index_submit(Index *index, Operation *op)
{
	uint64_t lsn = op->lsn = ++op->ns->lsn;

	write_to_replicas(index, op);
	queue(index, op, LAG_SEARCH);
	return lsn;
}

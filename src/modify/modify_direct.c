/*
 * modify_direct.c
 *		UPDATE and DELETE of all records that match a filter, as one request.
 *
 * plan_direct.c says which statements may go so.  Whether they do shows when the
 * values are known: a field set to NULL, or rows that this transaction has
 * written itself, are dealt with record by record.  What is deleted or
 * updated by its id, unseen, comes this way as well: nobody looks which of the ids
 * are there, and so they are what is counted.  Pinecone takes an update of an id
 * that is not there for done.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/limits.h"
#include "base/setting.h"
#include "modify/modify.h"
#include "pending/consistency.h"
#include "pending/outbox.h"
#include "pending/pending.h"
#include "pending/unseen.h"
#include "pending/write_plane.h"
#include "plan/plan_modify.h"
#include "scan/run_values.h"
#include "scan/scan.h"
#include "scan/unmatched.h"

/* As many are modified one by one rather than waiting for the service */
#define FEW_MATCHES 1000

typedef struct DirectModify
{
	PineconeScanState *scan;
	PineconeModify *modify;
	CmdType operation;
	PineconeReader *reader; /* of what matching records are checked for, or NULL */
	List *attnums;
	int first_value;
	Datum *values; /* a row with the assigned columns */
	bool *isnull;
	bool any_null;
	const char *namespace_; /* that is read record by record */
	bool checking;			/* and nothing done to them */
	bool everything;		/* all records are meant to match */
} DirectModify;

void
pineconeBeginDirectModify(ForeignScanState *node, int eflags)
{
	pineconeBeginForeignScan(node, eflags);
}

/* Evaluate the assigned values into a row. */
static void
evaluate_assignments(ForeignScanState *node, DirectModify *direct)
{
	ListCell *lc;

	foreach(lc, direct->attnums)
	{
		int number = direct->first_value + foreach_current_index(lc);
		int n = lfirst_int(lc) - 1;

		direct->isnull[n] = !pinecone_run_evaluate(node, number);
		direct->values[n] = direct->scan->run->values.values[number];
		direct->any_null = direct->any_null || direct->isnull[n];
	}
}

/* A record's id as a value of the id column. */
static void
set_id(DirectModify *direct, const char *id)
{
	PineconeTable *table = direct->modify->table;
	int n = table->id_attnum - 1;

	if (!pinecone_id_datum(table->columns[n].typid, id, &direct->values[n]))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("cannot modify record \"%s\" of foreign table \"%s\": its id does not fit column \"%s\"",
						id, table->name, table->columns[n].name),
				 errhint("Declare the column as text, or leave such records out with a condition.")));
	direct->isnull[n] = false;
}

/* One record that matches: deleted, or written with the assigned values. */
static void
modify_record(DirectModify *direct, const char *namespace_, PineconeRecord *stored)
{
	PineconeModify *modify = direct->modify;
	PineconeWrite write = {PINECONE_WRITE_UPDATE};

	if (direct->operation == CMD_DELETE)
	{
		pinecone_modify_delete(modify, namespace_, stored->id);
		return;
	}
	set_id(direct, stored->id);
	if (pinecone_modify_must_replace(modify, namespace_) ||
		!pinecone_record_of_row_update(modify->writer, direct->values, direct->isnull, &write))
	{
		memset(&write, 0, sizeof(write));
		write.kind = PINECONE_WRITE_UPSERT;
		pinecone_record_of_row(modify->writer, direct->values, direct->isnull, stored,
							   &write.record);
	}
	pinecone_sink_write(modify->sink, namespace_, &write);
}

/*
 * One record that matches.  Raises an error if what conditions look at does not fit
 * its column; then it is modified, unless this is a check.
 */
static void
take_record(void *arg, PineconeRecord *stored)
{
	DirectModify *direct = arg;
	PineconeScanState *scan = direct->scan;
	MemoryContext old = MemoryContextSwitchTo(direct->modify->row_cxt);

	MemoryContextReset(direct->modify->row_cxt);
	if (direct->reader != NULL)
		pinecone_row_read(direct->reader, stored, scan->row_values, scan->row_isnull);
	if (!direct->checking)
		modify_record(direct, direct->namespace_, stored);
	MemoryContextSwitchTo(old);
}

/* Read the records that match, and check each; returns how many they are. */
static double
check_matching(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeSourceSpec spec;

	pinecone_run_fill_spec(node, PINECONE_OP_FILTER, &spec);
	spec.namespace_ = namespace_;
	spec.want_metadata = true;
	direct->checking = true;
	return pinecone_source_read(&spec, take_record, direct);
}

/* The ids that the scan would fetch. */
static char **
asked_ids(ForeignScanState *node, int *n)
{
	PineconeScanState *scan = node->fdw_state;

	pinecone_run_evaluate_all(node, scan->request->ids);
	return pinecone_run_ids(scan->request, &scan->run->values, n);
}

/* Record by record; returns how many. */
static double
modify_records(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	PineconeSourceSpec spec;

	pinecone_outbox_must_be_shown(scan->table);
	pinecone_run_fill_spec(node,
						   scan->request->ids != NIL ? PINECONE_OP_FETCH :
						   direct->everything		 ? PINECONE_OP_LIST_FETCH :
													   pinecone_run_reading(scan->run, PINECONE_OP_LIST_FETCH),
						   &spec);
	if (scan->request->ids != NIL)
	{
		spec.ids = asked_ids(node, &spec.nids);
		if (spec.nids == 0)
			return 0;
	}
	spec.namespace_ = namespace_;
	/* documents are changed unseen */
	spec.want_values = direct->operation == CMD_UPDATE &&
					   (scan->table->schema == NULL || pinecone_modify_must_replace(direct->modify, namespace_));
	spec.may_lack_values = true;
	spec.want_metadata = spec.want_values || direct->reader != NULL;
	if (spec.want_values)
		spec.fields = NULL;
	direct->checking = false;
	direct->namespace_ = namespace_;
	return pinecone_source_read(&spec, take_record, direct);
}

/*
 * The filter for records that still differ from what is set; NULL when a list
 * is set, for a filter cannot compare lists.
 */
static char *
rest_filter(const char *filter, const PineconeRecord *set)
{
	Jsonb *fields = pinecone_pending_metadata(set);
	JsonbIterator *iterator = JsonbIteratorInit(&fields->root);
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData buf;
	char *key = NULL;
	const char *separator = "";

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"$and\":[%s,{\"$or\":[", filter);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			StringInfoData name;

			initStringInfo(&name);
			escape_json(&name, pnstrdup(value.val.string.val, value.val.string.len));
			key = name.data;
		}
		else if (token == WJB_VALUE)
		{
			if (value.type == jbvBinary)
				return NULL;
			appendStringInfo(&buf, "%s{%s:{\"$exists\":false}},{%s:{\"$ne\":%s}}", separator, key, key,
							 JsonbToCString(NULL, &JsonbValueToJsonb(&value)->root, 0));
			separator = ",";
		}
	}
	appendStringInfoString(&buf, "]}]}");
	return buf.data;
}

/* How many records match, by a dry run; -1 if it is refused, where it may be. */
static double
count_matching(DirectModify *direct, const char *namespace_, const char *filter, bool may_be_refused)
{
	PineconeSession *session = direct->modify->session;
	PineconeCall *call = pinecone_write_plane(session)->count(session, &direct->scan->counters,
															  namespace_, filter);
	PineconeFailure failure;
	double count = 0;

	pinecone_vectors_wait(call);
	failure = pinecone_vectors_failure(call);
	if (may_be_refused && failure == PINECONE_FAILURE_REJECTED)
		count = -1;
	else if (failure != PINECONE_FAILURE_NO_NAMESPACE)
		count = pinecone_vectors_count_result(call);
	pinecone_vectors_free(call);
	return count;
}

/*
 * May an update be repeated for what it has left?  A namespace that declares its
 * fields refuses to filter by others, and those that are set may be such.
 */
static bool
can_be_repeated(DirectModify *direct, const char *namespace_, const char *rest)
{
	return rest != NULL && count_matching(direct, namespace_, rest, true) >= 0;
}

/*
 * Does a filter match as many records as there are, as far as statistics know?  One
 * that nobody has written is refused where fields are declared.
 */
static bool
is_everything(DirectModify *direct, const char *namespace_, double count)
{
	return count > 0 &&
		   count >= pinecone_stats_records(pinecone_session_stats(direct->modify->session, false, false), namespace_);
}

/* As one request; returns how many records match, or -1 when it cannot be done. */
static double
modify_by_filter(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	PineconeModify *modify = direct->modify;
	PineconeWrite write = {PINECONE_WRITE_DELETE_FILTER};
	double count;

	write.filter = scan->run->filter.json;
	if (direct->operation == CMD_UPDATE)
	{
		write.kind = PINECONE_WRITE_UPDATE_FILTER;
		if (!pinecone_record_of_row_fields(modify->writer, direct->values, direct->isnull,
										   &write.record))
			return -1;
		write.rest = rest_filter(write.filter, &write.record);
	}

	write.documents = scan->table->schema != NULL;
	/* documents are counted by reading them, as nothing else tells for certain */
	count = direct->reader != NULL || write.documents ? check_matching(node, direct, namespace_) :
														count_matching(direct, namespace_, write.filter, direct->everything);
	if (write.documents && direct->operation == CMD_UPDATE && count >= PINECONE_MAX_UPDATED)
		return -1;
	if (direct->everything && !is_everything(direct, namespace_, count))
		return -1;
	if (count > pinecone_write_plane(modify->session)->max_updated && direct->operation == CMD_UPDATE &&
		!can_be_repeated(direct, namespace_, write.rest))
		return -1;
	if (count > 0)
		pinecone_sink_write(modify->sink, namespace_, &write);
	return count;
}

/*
 * Are writes under way that the filter could match as well?  It is meant for
 * what there was when the statement began.
 */
static bool
has_other_writes(DirectModify *direct, const char *namespace_)
{
	PineconeModify *modify = direct->modify;

	return pinecone_sink_holds(modify->sink, namespace_) ||
		   pinecone_pending_waits(modify->session, namespace_);
}

/*
 * A filter is carried out on what searches show.  Where that lacks writes, a
 * few records are dealt with one by one; for many it is quicker to wait.  Of
 * documents a thousand are one by one, too.
 */
static bool
filter_is_in_time(DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;

	if (pinecone_unseen_allows_filter(scan->session, namespace_, direct->operation == CMD_UPDATE))
		return true;
	if (scan->table->schema != NULL || count_matching(direct, namespace_, scan->run->filter.json, direct->everything) <= FEW_MATCHES)
		return false;
	pinecone_consistency_settle(scan->session, scan->table, namespace_);
	return true;
}

/* By ids, unseen; returns how many they are, or -1 when the stored records are needed. */
static double
modify_ids(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeModify *modify = direct->modify;
	PineconeWrite write = {PINECONE_WRITE_UPDATE};
	char **ids;
	int n;

	if (direct->operation == CMD_UPDATE &&
		(direct->any_null || pinecone_modify_must_replace(modify, namespace_) ||
		 !pinecone_record_of_row_fields(modify->writer, direct->values, direct->isnull, &write.record)))
		return -1;
	ids = asked_ids(node, &n);
	for (int i = 0; i < n; i++)
	{
		if (direct->operation == CMD_DELETE)
		{
			pinecone_modify_delete(modify, namespace_, ids[i]);
			continue;
		}
		/* what the statement itself inserts was not there */
		if (pinecone_statement_has_inserted(modify->statement, modify->session->serverid, namespace_, ids[i]))
			continue;
		write.record.id = ids[i];
		write.record.idlen = strlen(ids[i]);
		pinecone_sink_write(modify->sink, namespace_, &write);
	}
	return n;
}

static double
modify_namespace(ForeignScanState *node, DirectModify *direct, const char *namespace_)
{
	PineconeScanState *scan = direct->scan;
	double count = -1;

	if (scan->request->ids != NIL)
	{
		scan->run->counters->namespaces++;
		count = modify_ids(node, direct, namespace_);
		if (count >= 0)
			return count;
		pinecone_consistency_wait(scan->session, scan->run->counters, scan->table, namespace_);
		return modify_records(node, direct, namespace_);
	}
	pinecone_consistency_wait(scan->session, scan->run->counters, scan->table, namespace_);
	if (scan->run->filter.kind == PINECONE_FILTER_NEVER)
		return 0;
	scan->run->counters->namespaces++;
	if (scan->run->filter.kind == PINECONE_FILTER_JSON && !direct->any_null &&
		!has_other_writes(direct, namespace_) && filter_is_in_time(direct, namespace_))
		count = modify_by_filter(node, direct, namespace_);
	return count < 0 ? modify_records(node, direct, namespace_) : count;
}

/* Nothing is sent before the rest of the statement has read what there was. */
static PineconeStatement *
shared_statement(EState *estate)
{
	return pinecone_count_result_relations(estate) > 1 ? pinecone_statement_of(estate) : NULL;
}

/*
 * Write what the statement asks for in each of its namespaces, by filter or by
 * ids, and return how many rows that were.
 */
static double
execute(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PineconeScanState *scan = node->fdw_state;
	PineconeStatement *statement = shared_statement(node->ss.ps.state);
	PineconeTable *table = scan->table;
	DirectModify direct = {0};
	Bitmapset *assigned = NULL;
	double count = 0;
	ListCell *lc;

	direct.scan = scan;
	direct.operation = plan->operation;
	direct.attnums = list_nth(plan->fdw_private, PINECONE_DIRECT_ASSIGNED);
	direct.first_value = intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_FIRST_VALUE));
	if (intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_CHECKED)))
		direct.reader = pinecone_row_reader(table, pinecone_request_columns(scan->request->filter));
	direct.everything = intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_EVERYTHING));
	direct.values = palloc0(table->ncolumns * sizeof(Datum));
	direct.isnull = palloc(table->ncolumns * sizeof(bool));
	memset(direct.isnull, true, table->ncolumns * sizeof(bool));
	foreach(lc, direct.attnums)
		assigned = bms_add_member(assigned, lfirst_int(lc));
	direct.modify = pinecone_modify_create(statement, table, scan->userid, direct.operation,
										   assigned, true);

	if (direct.operation == CMD_UPDATE && bms_is_member(table->metadata_attnum, assigned))
		pinecone_record_of_row_lay_over(direct.modify->writer);
	pinecone_run_prepare(node);
	evaluate_assignments(node, &direct);
	for (int i = 0; i < scan->run->nnamespaces; i++)
		pinecone_modify_refuse_alias(direct.modify,
									 pinecone_option_plain_namespace(scan->run->namespaces[i].name));
	for (int i = 0; i < scan->run->nnamespaces; i++)
		count += modify_namespace(node, &direct,
								  pinecone_option_plain_namespace(scan->run->namespaces[i].name));
	if (count == 0)
		pinecone_unmatched_look(node);
	if (statement != NULL)
	{
		pinecone_statement_add(statement, direct.modify->sink);
		scan->modify = direct.modify;
	}
	else
		pinecone_sink_finish(direct.modify->sink);
	return count;
}

TupleTableSlot *
pineconeIterateDirectModify(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PineconeScanState *scan = node->fdw_state;
	EState *estate = node->ss.ps.state;

	if (!scan->run->done)
	{
		MemoryContext old = MemoryContextSwitchTo(scan->run->cxt);
		double count = execute(node);

		MemoryContextSwitchTo(old);
		scan->run->done = true;
		if (intVal(list_nth(plan->fdw_private, PINECONE_DIRECT_SET_TAG)))
			estate->es_processed += count;
		if (node->ss.ps.instrument)
			node->ss.ps.instrument->tuplecount += count;
	}
	return ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

void
pineconeEndDirectModify(ForeignScanState *node)
{
	PineconeScanState *scan = node->fdw_state;

	if (scan != NULL && scan->modify != NULL)
	{
		pinecone_sink_finish(scan->modify->sink);
		pinecone_statement_remove(scan->modify->statement, scan->modify->sink);
	}
	pineconeEndForeignScan(node);
}

/*
 * pinecone_fdw.c
 *		Entry points of the module: the table of FDW callbacks, and _PG_init.
 */
#include "postgres.h"

#include "fmgr.h"
#include "foreign/fdwapi.h"
#include "miscadmin.h"

#include "admin/analyze.h"
#include "admin/explain.h"
#include "admin/import.h"
#include "admin/mirror_worker.h"
#include "base/ours.h"
#include "base/setting.h"
#include "base/statistics.h"
#include "client/learned.h"
#include "hooks.h"
#include "modify/modify.h"
#include "outbox/worker.h"
#include "pending/outbox.h"
#include "pending/pending.h"
#include "plan/paths.h"
#include "plan/plan_modify.h"
#include "scan/async.h"
#include "scan/scan.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(pinecone_fdw_handler);

void _PG_init(void);

/*
 * For want of memory a step may fail.  The next use of the module calls this
 * again, and goes on there: what has been done must not be a second time.
 */
void
_PG_init(void)
{
	static void (*const steps[])(void) = {
		pinecone_setting_init,
		pinecone_statistics_init,
		pinecone_pending_init,
		pinecone_outbox_init,
		pinecone_mirror_worker_init,
		pinecone_worker_register,
		pinecone_hooks_install,
	};
	static int done = 0;

	pinecone_learned_preloaded |= process_shared_preload_libraries_in_progress;
	for (; done < lengthof(steps); done++)
		steps[done]();
}

/* The table of callbacks, in the order in which a statement meets them. */
Datum
pinecone_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	/* Planning */
	routine->GetForeignRelSize = pineconeGetForeignRelSize;
	routine->GetForeignPaths = pineconeGetForeignPaths;
	routine->GetForeignPlan = pineconeGetForeignPlan;
	routine->GetForeignUpperPaths = pineconeGetForeignUpperPaths;

	/* Scanning */
	routine->BeginForeignScan = pineconeBeginForeignScan;
	routine->IterateForeignScan = pineconeIterateForeignScan;
	routine->ReScanForeignScan = pineconeReScanForeignScan;
	routine->EndForeignScan = pineconeEndForeignScan;

	/* Scanning side by side */
	routine->IsForeignPathAsyncCapable = pineconeIsForeignPathAsyncCapable;
	routine->ForeignAsyncRequest = pineconeForeignAsyncRequest;
	routine->ForeignAsyncConfigureWait = pineconeForeignAsyncConfigureWait;
	routine->ForeignAsyncNotify = pineconeForeignAsyncNotify;

	/* Writing */
	routine->IsForeignRelUpdatable = pineconeIsForeignRelUpdatable;
	routine->AddForeignUpdateTargets = pineconeAddForeignUpdateTargets;
	routine->PlanForeignModify = pineconePlanForeignModify;
	routine->BeginForeignModify = pineconeBeginForeignModify;
	routine->ExecForeignInsert = pineconeExecForeignInsert;
	routine->GetForeignModifyBatchSize = pineconeGetForeignModifyBatchSize;
	routine->ExecForeignBatchInsert = pineconeExecForeignBatchInsert;
	routine->ExecForeignUpdate = pineconeExecForeignUpdate;
	routine->ExecForeignDelete = pineconeExecForeignDelete;
	routine->EndForeignModify = pineconeEndForeignModify;
	routine->BeginForeignInsert = pineconeBeginForeignInsert;
	routine->EndForeignInsert = pineconeEndForeignInsert;
	routine->PlanDirectModify = pineconePlanDirectModify;
	routine->BeginDirectModify = pineconeBeginDirectModify;
	routine->IterateDirectModify = pineconeIterateDirectModify;
	routine->EndDirectModify = pineconeEndDirectModify;
	routine->ExecForeignTruncate = pineconeExecForeignTruncate;

	/* Learning */
	routine->ImportForeignSchema = pineconeImportForeignSchema;
	routine->AnalyzeForeignTable = pineconeAnalyzeForeignTable;

	/* Showing */
	routine->ExplainForeignScan = pineconeExplainForeignScan;
	routine->ExplainForeignModify = pineconeExplainForeignModify;
	routine->ExplainDirectModify = pineconeExplainDirectModify;

	pinecone_ours_note(routine);
	PG_RETURN_POINTER(routine);
}

/*
 * mirror_worker.c
 *		What a background worker does for mirrors, beside the outbox.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"

#include "admin/mirror.h"
#include "admin/mirror_worker.h"
#include "outbox/worker.h"

/* Rows of a round */
#define ROUND_ROWS 10000

/*
 * What a CALL of pinecone_mirror_deliver() does.  Procedures that commit run in a
 * portal, which lasts longer than their transactions; so does this.
 */
static void
deliver_in_portal(Portal portal, int max_ms, PineconeMirrorDelivered *delivered)
{
	portal->visible = false;
	/* the portal's own, which goes when it is dropped */
	CurrentResourceOwner = portal->resowner;
	portal->status = PORTAL_ACTIVE;
	ActivePortal = portal;
	PortalContext = portal->portalContext;
	PG_TRY();
	{
		pinecone_mirror_deliver_changes(InvalidOid, ROUND_ROWS, max_ms, delivered);
		ForgetPortalSnapshots();
	}
	PG_CATCH();
	{
		ActivePortal = NULL;
		PortalContext = NULL;
		/* the end of the transaction drops it */
		MarkPortalFailed(portal);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ActivePortal = NULL;
	PortalContext = NULL;
	CurrentResourceOwner = TopTransactionResourceOwner;
	MarkPortalDone(portal);
	PortalDrop(portal, false);
}

static void
deliver_mirrors(int max_ms, PineconeDelivery *delivery)
{
	PineconeMirrorDelivered delivered;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	deliver_in_portal(CreateNewPortal(), max_ms, &delivered);
	CommitTransactionCommand();
	delivery->delivered += delivered.delivered;
	delivery->dead += delivered.dead;
	delivery->more |= delivered.more;
	if (delivered.next != 0 && (delivery->next == 0 || delivered.next < delivery->next))
		delivery->next = delivered.next;
}

void
pinecone_mirror_worker_init(void)
{
	pinecone_worker_also = deliver_mirrors;
}

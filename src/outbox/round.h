/*
 * round.h
 *		What a round of deliveries knows, for the files of this folder.
 */
#ifndef PINECONE_ROUND_H
#define PINECONE_ROUND_H

#include "storage/itemptr.h"
#include "utils/relcache.h"

#include "base/idset.h"
#include "outbox/deliver.h"
#include "pending/outbox_table.h"
#include "pending/send.h"

/* A server as a user, who succeed and fail together */
typedef struct PineconeScope
{
	Oid serverid;
	Oid userid;
	char *servername;
	PineconeSession *session; /* NULL: there is none, see error */
	int failures;			  /* one after the other, before this round */
	TimestampTz retry_at;	  /* 0: at once */
	bool held;				  /* nothing more of it is sent in this round */
	char *error;			  /* this round's last one, or NULL */
	int64 delivered;
	int64 dead;
	struct PineconeScope *next;
} PineconeScope;

/* A table as a user writes it */
typedef struct PineconeWay
{
	Oid relid;
	Oid userid;
	PineconeScope *scope;
	const char *refusal; /* why nothing can be sent, ever; or NULL */
	int batch_size;
	int concurrency;
	struct PineconeWay *next;
} PineconeWay;

/* One row that has been looked at */
typedef struct PineconeRoundRow
{
	int64 seq;
	ItemPointerData tid;
	PineconeWay *way;
	char *key; /* of its record, or of all records of a namespace */
	char kind;
	bool told;
	PineconeSendOutcome outcome;
	int into;		 /* MERGED: the number of the other one */
	bool has_merged; /* others have with this one */
	char *reason;
} PineconeRoundRow;

typedef struct PineconeRound
{
	MemoryContext cxt;
	PineconeSend *send;
	PineconeScope *scopes;
	PineconeWay *ways;
	PineconeRoundRow *rows;
	int nrows;
	int size;
	idset_hash *held;	  /* keys of records that have a write which stays */
	idset_hash *refused;  /* of those that have one which was refused in this round: the last, */
	idset_hash *replaced; /* and the last that was applied and replaces the record */
	bool has_dead;		  /* are there any from earlier ones? */
	int64 nheld;
	TimestampTz next; /* when a server that was passed over may be asked again; 0: none was */
} PineconeRound;

/* settle.c: how it was, and how it is */
extern void pinecone_round_read_state(PineconeRound *round, PineconeScope *scope);
/* Is a server to be asked now, as one user at least?  If not, next says when. */
extern bool pinecone_round_is_due(PineconeRound *round, Oid serverid);
extern void pinecone_round_settle(PineconeRound *round, PineconeDelivery *delivery);

/* Has the record a dead letter from an earlier round, of a place after that one and before the row's? */
extern bool pinecone_round_has_dead_letter(PineconeRound *round, const PineconeRoundRow *row, int64 after);

/* The rights of who owns the queue, and a search_path that nobody else has set. */
typedef struct PineconeOwner
{
	Oid userid;
	int context;
	int guc_level;
} PineconeOwner;

extern void pinecone_owner_begin(PineconeOwner *owner, Oid relid);
extern void pinecone_owner_end(PineconeOwner *owner);

/* way.c */
extern PineconeWay *pinecone_round_way(PineconeRound *round, Oid relid, Oid userid);
extern void pinecone_scope_fail(PineconeScope *scope, const char *reason);

/* embed.c: the vectors of rows that have texts for them; a row that gets none is told of */
extern void pinecone_round_embed(PineconeRound *round, PineconeOutboxRow *rows, const int *tags, int n);

/*
 * round.c: the row stays, and later ones of its record with it; has an earlier one
 * stayed?  What has become of a row, and may it be sent: for send.h, tags are the
 * numbers of rows.
 */
extern char *pinecone_round_key(Oid serverid, const char *namespace_, const char *id);
extern void pinecone_round_hold(PineconeRound *round, PineconeRoundRow *row);
extern bool pinecone_round_is_behind(PineconeRound *round, const PineconeRoundRow *row);
extern void pinecone_round_tell(void *round, int64 tag, PineconeSendOutcome outcome, const char *reason);
extern void pinecone_round_merge(void *round, int64 tag, int64 into);
extern bool pinecone_round_may_be_sent(void *round, int64 tag);

#endif /* PINECONE_ROUND_H */

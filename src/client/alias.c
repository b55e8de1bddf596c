/*
 * alias.c
 *		Names that stand for a namespace when something is read.
 *
 * A session remembers for a while what it was told of names, both that they are
 * aliases and that they are not.  The first few names are asked for one by one;
 * who needs more of them, as a load into thousands of new namespaces does, gets
 * the list of all aliases once.
 *
 * Hosts without these calls (earlier deployments, proxies, keys that may not
 * use them) answer 403, 404 without a reason, 405 or 501.  Reads through aliases
 * work there all the same, so what a reply says is believed.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/clock.h"
#include "base/per_statement.h"
#include "base/record_key.h"
#include "base/setting.h"
#include "client/alias.h"
#include "client/bound.h"
#include "client/call.h"
#include "client/hosts.h"
#include "wire/message.h"

/* Since that version there are aliases */
#define API_VERSION "2026-07"

/* Names asked for one by one, before all aliases are */
#define MAX_SINGLE_QUESTIONS 3

/* What was told is good for this long at least, lest each page asks anew */
#define MIN_TTL_MS 1000

typedef struct Known
{
	PineconeRecordKey key; /* namespace_: the name; id: "" */
	char *target;		   /* or NULL: it is no alias */
} Known;

struct PineconeAliases
{
	MemoryContext cxt;
	HTAB *names;
	PineconeTime since;
	int location;  /* where the index was then */
	int questions; /* asked one by one */
	bool listed;   /* what is not in here is no alias */
	bool absent;   /* the host has no such call */
};

/* What asking has brought */
typedef enum Answer
{
	IS_ALIAS,
	IS_NONE,
	HAS_NO_SUCH_CALL,
	NO_ANSWER
} Answer;

static const char *
normal(const char *name)
{
	return strcmp(name, "__default__") == 0 ? "" : name;
}

/* ---- What a session knows ---- */

/* Out of date all at once, so that nothing has to be looked after one by one. */
static struct PineconeAliases *
aliases_of(PineconeSession *session)
{
	struct PineconeAliases *aliases = session->aliases;
	MemoryContext old;

	if (aliases != NULL &&
		(aliases->location != session->location ||
		 pinecone_clock_passed(aliases->since, Max(pinecone_stats_ttl_ms, MIN_TTL_MS))))
	{
		session->aliases = NULL;
		MemoryContextDelete(aliases->cxt);
		aliases = NULL;
	}
	if (aliases == NULL)
	{
		MemoryContext cxt = AllocSetContextCreate(session->cxt, "pinecone aliases", ALLOCSET_SMALL_SIZES);

		old = MemoryContextSwitchTo(cxt);
		aliases = palloc0(sizeof(struct PineconeAliases));
		aliases->cxt = cxt;
		aliases->names = pinecone_record_key_table("pinecone aliases", sizeof(Known));
		aliases->since = pinecone_clock_now();
		aliases->location = session->location;
		MemoryContextSwitchTo(old);
		session->aliases = aliases;
	}
	return aliases;
}

static Known *
find(struct PineconeAliases *aliases, const char *name)
{
	PineconeRecordKey key = {name, ""};

	return hash_search(aliases->names, &key, HASH_FIND, NULL);
}

static void
remember(struct PineconeAliases *aliases, const char *name, const char *target)
{
	MemoryContext old = MemoryContextSwitchTo(aliases->cxt);
	PineconeRecordKey key = {pstrdup(name), ""};
	Known *known = hash_search(aliases->names, &key, HASH_ENTER, NULL);

	known->target = target ? pstrdup(target) : NULL;
	MemoryContextSwitchTo(old);
}

/* Does a listing of namespaces have the name?  It cannot be an alias as well. */
static bool
is_listed(PineconeSession *session, const char *name)
{
	return name[0] == '\0' || strcmp(name, "__default__") == 0 ||
		   (session->stats != NULL && session->stats_location == session->location &&
			pinecone_stats_records(session->stats, name) >= 0);
}

/* ---- Asking ---- */

/*
 * Ask for one alias, or for a page of all: a single attempt.  The calls are of
 * that version, though reads through aliases work on any.
 */
static PineconeCall *
start_call(PineconeSession *session, const char *name, const char *token)
{
	PineconeCall *call = pinecone_call_create(session, NULL, name ? "describe namespace alias" : "list namespace aliases",
											  "GET");
	MemoryContext old = MemoryContextSwitchTo(call->cxt);
	StringInfoData path;

	initStringInfo(&path);
	appendStringInfoString(&path, "/namespace-aliases");
	if (name != NULL)
	{
		appendStringInfoChar(&path, '/');
		pinecone_message_append_encoded(&path, name);
	}
	else
	{
		pinecone_message_append_parameter(&path, "limit", "100");
		pinecone_message_append_parameter(&path, "paginationToken", token);
	}
	MemoryContextSwitchTo(old);
	call->path = path.data;
	call->continues = token != NULL;
	call->single_attempt = true;
	call->may_be_none = true;
	if (name != NULL)
		call->about = MemoryContextStrdup(call->cxt, name);
	if (strcmp(session->options->api_version, API_VERSION) < 0)
		call->api_version = API_VERSION;
	pinecone_call_start(call);
	pinecone_vectors_wait(call);
	return call;
}

static bool
decode(PineconeCall *call, PineconeAlias **aliases, int *n, char **next_token)
{
	const char *reason;

	return pinecone_message_decode_aliases(call->exchange->body, call->exchange->body_len, aliases, n,
										   next_token, &reason);
}

static Answer
failed_answer(const PineconeCall *call)
{
	const PineconeProblem *problem = &call->problem;

	if (problem->outcome != PINECONE_HTTP_ANSWERED)
		return NO_ANSWER;
	if (problem->reason != NULL && strcmp(problem->reason, "ALIAS_NOT_FOUND") == 0)
		return IS_NONE;
	/* a name that no alias can have */
	if (problem->reason != NULL && strcmp(problem->reason, "ALIAS_NAME_INVALID") == 0)
		return IS_NONE;
	if (problem->status == 400 || problem->status == 403 || problem->status == 404 ||
		problem->status == 405 || problem->status == 501)
		return HAS_NO_SUCH_CALL;
	return NO_ANSWER;
}

static Answer
ask_for_one(PineconeSession *session, const char *name, char **target)
{
	PineconeCall *call = start_call(session, name, NULL);
	Answer answer;

	if (call->state != PINECONE_CALL_SUCCEEDED)
		answer = failed_answer(call);
	else
	{
		PineconeAlias *found;
		int n;
		char *token;

		answer = NO_ANSWER;
		if (decode(call, &found, &n, &token) && n == 1)
		{
			*target = found->target;
			answer = IS_ALIAS;
		}
	}
	pinecone_vectors_free(call);
	return answer;
}

/* Pages of all aliases; IS_ALIAS: all have come. */
static Answer
ask_for_all(PineconeSession *session, List **all)
{
	char *token = NULL;

	/* there are 1,000 at most: 10 pages */
	for (int page = 0; page < 100; page++)
	{
		PineconeCall *call = start_call(session, NULL, token);
		PineconeAlias *found;
		int n;

		if (call->state != PINECONE_CALL_SUCCEEDED)
		{
			Answer answer = failed_answer(call);

			pinecone_vectors_free(call);
			return answer;
		}
		if (!decode(call, &found, &n, &token))
		{
			pinecone_vectors_free(call);
			return NO_ANSWER;
		}
		for (int i = 0; i < n; i++)
			*all = lappend(*all, &found[i]);
		pinecone_vectors_free(call);
		if (token == NULL)
			return IS_ALIAS;
	}
	return NO_ANSWER;
}

static Answer
list_all(PineconeSession *session, List **all)
{
	struct PineconeAliases *aliases;
	Answer answer;
	ListCell *lc;

	*all = NIL;
	answer = ask_for_all(session, all);
	/* asking may have taken a while, or have found the index elsewhere */
	aliases = aliases_of(session);
	if (answer == HAS_NO_SUCH_CALL)
		aliases->absent = true;
	if (answer != IS_ALIAS)
		return answer;
	foreach(lc, *all)
	{
		PineconeAlias *alias = lfirst(lc);

		remember(aliases, alias->name, alias->target);
	}
	aliases->listed = true;
	return answer;
}

static Answer
ask(PineconeSession *session, const char *name, char **target)
{
	struct PineconeAliases *aliases = aliases_of(session);
	Answer answer;
	List *all;

	if (aliases->absent)
		return HAS_NO_SUCH_CALL;
	if (aliases->questions >= MAX_SINGLE_QUESTIONS && !aliases->listed &&
		list_all(session, &all) == IS_ALIAS)
	{
		Known *known = find(aliases_of(session), name);

		if (known == NULL || known->target == NULL)
			return IS_NONE;
		*target = pstrdup(known->target);
		return IS_ALIAS;
	}
	answer = ask_for_one(session, name, target);
	aliases = aliases_of(session);
	aliases->questions++;
	if (answer == IS_ALIAS || answer == IS_NONE)
		remember(aliases, name, answer == IS_ALIAS ? *target : NULL);
	else if (answer == HAS_NO_SUCH_CALL)
		aliases->absent = true;
	return answer;
}

char *
pinecone_alias_target(PineconeSession *session, const char *name, bool fresh)
{
	struct PineconeAliases *aliases = aliases_of(session);
	Known *known = find(aliases, name);
	char *target = NULL;

	if (known != NULL && (known->target == NULL || !fresh))
		return known->target ? pstrdup(known->target) : NULL;
	if (known == NULL && (aliases->listed || is_listed(session, name)))
		return NULL;
	switch (ask(session, name, &target))
	{
		case IS_ALIAS:
			return target;
		case IS_NONE:
			return NULL;
		default:
			/* a reply has said so before */
			known = find(aliases_of(session), name);
			return known && known->target ? pstrdup(known->target) : NULL;
	}
}

const char *
pinecone_alias_known(PineconeSession *session, const char *name)
{
	Known *known = session->aliases ? find(session->aliases, name) : NULL;

	return known ? known->target : NULL;
}

double
pinecone_alias_records(PineconeSession *session, PineconeStats *stats, const char *name)
{
	double records = pinecone_stats_records(stats, name);
	const char *target = records < 0 ? pinecone_alias_known(session, name) : NULL;

	return target ? pinecone_stats_records(stats, target) : records;
}

bool
pinecone_alias_allows(PineconeSession *session, const char *name, const char *told)
{
	Known *known = find(aliases_of(session), name);
	char *target;

	told = normal(told);
	/* the default namespace is never an alias */
	if (normal(name)[0] == '\0')
		return false;
	if (known != NULL && known->target != NULL && strcmp(known->target, told) == 0)
		return true;
	switch (ask(session, name, &target))
	{
		case IS_ALIAS:
			/* pointed elsewhere just now, perhaps */
			return true;
		case HAS_NO_SUCH_CALL:
			remember(aliases_of(session), name, told);
			return true;
		default:
			return false;
	}
}

static int
compare_aliases(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PineconeAlias *) lfirst(a))->name, ((const PineconeAlias *) lfirst(b))->name);
}

List *
pinecone_alias_list(PineconeSession *session)
{
	List *all;

	if (list_all(session, &all) != IS_ALIAS)
		return NIL;
	list_sort(all, compare_aliases);
	return all;
}

/* ---- Pins ---- */

typedef struct Pin
{
	PineconeRecordKey key; /* namespace_: the name; id: the server's OID */
	char *target;
} Pin;

struct PineconePins
{
	PineconePerStatement statement;

	/* The first name, which most often is the only one, and a table of the others, or NULL */
	Oid first_server;
	char *first_name;
	char *first_target;
	HTAB *names;
	uint64 serial;
};

static dlist_head all_pins = DLIST_STATIC_INIT(all_pins);
static uint64 serials = 0;

PineconePins *
pinecone_pins_of(MemoryContext statement_cxt)
{
	PineconePins *pins = pinecone_per_statement_of(&all_pins, statement_cxt, sizeof(PineconePins));

	if (pins->serial == 0)
		pins->serial = ++serials;
	return pins;
}

uint64
pinecone_pins_serial(const PineconePins *pins)
{
	return pins != NULL ? pins->serial : 0;
}

const char *
pinecone_pins_target(PineconePins *pins, PineconeSession *session, const char *name)
{
	char server[16];
	PineconeRecordKey key = {name, server};
	Pin *pin;

	if (pins->first_name != NULL && pins->first_server == session->serverid && strcmp(pins->first_name, name) == 0)
		return pins->first_target;
	if (pins->names == NULL)
		return NULL;
	snprintf(server, sizeof(server), "%u", session->serverid);
	pin = hash_search(pins->names, &key, HASH_FIND, NULL);
	return pin ? pin->target : NULL;
}

static void
add_pin(PineconePins *pins, PineconeSession *session, const char *name, const char *target)
{
	MemoryContext old = MemoryContextSwitchTo(pins->statement.cxt);

	if (pins->first_name == NULL)
	{
		pins->first_server = session->serverid;
		pins->first_name = pstrdup(name);
		pins->first_target = pstrdup(target);
	}
	else
	{
		PineconeRecordKey key = {pstrdup(name), psprintf("%u", session->serverid)};
		Pin *pin;

		if (pins->names == NULL)
			pins->names = pinecone_record_key_table("pinecone namespaces read", sizeof(Pin));
		pin = hash_search(pins->names, &key, HASH_ENTER, NULL);
		pin->target = pstrdup(target);
	}
	MemoryContextSwitchTo(old);
}

void
pinecone_pins_check(PineconePins *pins, PineconeSession *session, const char *name,
					const char *told)
{
	const char *target = pinecone_pins_target(pins, session, name);

	told = normal(told);
	if (target == NULL)
		add_pin(pins, session, name, told);
	else if (strcmp(target, told) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_ERROR),
				 errmsg("alias \"%s\" was pointed at another namespace while it was read", name),
				 errdetail("Records came from namespace \"%s\" first, and from \"%s\" then.",
						   target, told),
				 errhint("Repeat the statement.")));
}

const char *
pinecone_pins_resolve(PineconePins *pins, PineconeSession *session, const char *name)
{
	const char *pinned = pins ? pinecone_pins_target(pins, session, name) : NULL;
	char *target;

	if (pinned != NULL)
		return pinned;
	target = pinecone_alias_target(session, name, true);
	if (target == NULL)
		return name;
	if (pins != NULL)
		add_pin(pins, session, name, target);
	/* it says so of the host that was asked */
	if (pins != NULL && session->failover != NULL)
		(void) pinecone_bound_note(pinecone_bound_of(pins->statement.cxt), session, session->location, session->failover->number);
	return target;
}

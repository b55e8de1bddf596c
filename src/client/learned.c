/*
 * learned.c
 *		Replies of the service in shared memory, under a digest of where they are
 *		from and of the key that they were given to.
 *
 * They are kept as they came, and whoever takes one reads it as if it had come
 * to him.  One that is larger than a slot is not kept.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/shared.h"
#include "client/learned.h"

#define NSLOTS 32
#define SLOT_BYTES (64 * 1024)

typedef struct Digest
{
	uint8 bytes[32];
} Digest;

typedef struct Slot
{
	Digest name;
	PineconeTime asked_at; /* 0: the slot is free */
	uint32 len;
	char body[SLOT_BYTES];
} Slot;

typedef struct Area
{
	PineconeShared shared;
	Slot slots[NSLOTS];
} Area;

bool pinecone_learned_preloaded = false;

static Area *area = NULL;

bool
pinecone_learned_is_kept(void)
{
	return pinecone_learned_preloaded;
}

static bool
find_area(bool create)
{
	if (area == NULL)
		area = (Area *) pinecone_shared_area(PINECONE_SHARED_LEARNED, create ? sizeof(Area) : 0);
	return area != NULL;
}

/* Does the session know what such a thing is kept under? */
static bool
is_nameable(const PineconeSession *session, PineconeLearnedKind kind)
{
	return kind == PINECONE_LEARNED_PLACE ? session->options->index != NULL : session->base_url != NULL;
}

static Digest
name_of(PineconeSession *session, PineconeLearnedKind kind)
{
	char *api_key = pinecone_option_api_key(session->mapping, false);
	char *text = kind == PINECONE_LEARNED_PLACE ?
					 psprintf("%d %s %s %s", kind, session->options->control_host, session->options->index, api_key) :
					 psprintf("%d %s %s", kind, session->base_url, api_key);
	bytea *digest = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
														PointerGetDatum(cstring_to_text(text))));
	Digest name;

	memcpy(&name, VARDATA_ANY(digest), sizeof(name));
	explicit_bzero(text, strlen(text));
	pfree(text);
	pfree(digest);
	return name;
}

/* The slot of that name, or NULL; *oldest is the one to take for another. */
static Slot *
find_slot(const Digest *name, Slot **oldest)
{
	*oldest = &area->slots[0];
	for (int i = 0; i < NSLOTS; i++)
	{
		Slot *slot = &area->slots[i];

		if (slot->asked_at != 0 && memcmp(&slot->name, name, sizeof(*name)) == 0)
			return slot;
		if (slot->asked_at < (*oldest)->asked_at)
			*oldest = slot;
	}
	return NULL;
}

void
pinecone_learned_put(PineconeSession *session, PineconeLearnedKind kind, const char *body,
					 size_t len, PineconeTime asked_at)
{
	Digest name;
	Slot *slot;
	Slot *oldest;

	if (!pinecone_learned_is_kept() || !find_area(true))
		return;
	name = name_of(session, kind);
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	slot = find_slot(&name, &oldest);
	if (slot == NULL)
		slot = oldest;
	if (len > SLOT_BYTES)
		/* what was known before is not what is known now */
		slot->asked_at = memcmp(&slot->name, &name, sizeof(name)) == 0 ? 0 : slot->asked_at;
	else if (slot->asked_at < asked_at || memcmp(&slot->name, &name, sizeof(name)) != 0)
	{
		slot->name = name;
		slot->asked_at = asked_at;
		slot->len = len;
		memcpy(slot->body, body, len);
	}
	LWLockRelease(&area->shared.lock);
}

char *
pinecone_learned_get(PineconeSession *session, PineconeLearnedKind kind, PineconeTime after,
					 PineconeTime *asked_at, size_t *len)
{
	Digest name;
	Slot *slot;
	Slot *oldest;
	char *body = NULL;

	if (!pinecone_learned_is_kept() || !find_area(false))
		return NULL;
	name = name_of(session, kind);
	LWLockAcquire(&area->shared.lock, LW_SHARED);
	slot = find_slot(&name, &oldest);
	if (slot != NULL && slot->asked_at > after)
	{
		body = pnstrdup(slot->body, slot->len);
		*len = slot->len;
		*asked_at = slot->asked_at;
	}
	LWLockRelease(&area->shared.lock);
	return body;
}

void
pinecone_learned_drop(PineconeSession *session, PineconeLearnedKind kind)
{
	Digest name;
	Slot *slot;
	Slot *oldest;

	if (!pinecone_learned_is_kept() || !find_area(false) || !is_nameable(session, kind))
		return;
	name = name_of(session, kind);
	LWLockAcquire(&area->shared.lock, LW_EXCLUSIVE);
	slot = find_slot(&name, &oldest);
	if (slot != NULL)
		slot->asked_at = 0;
	LWLockRelease(&area->shared.lock);
}

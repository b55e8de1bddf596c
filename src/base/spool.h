/*
 * spool.h
 *		Appends bytes, reads them back at any offset, and cuts off the end.  What
 *		belongs to a resource owner is freed with it, also after an error.
 */
#ifndef PINECONE_SPOOL_H
#define PINECONE_SPOOL_H

#include "utils/resowner.h"

typedef struct PineconeSpool PineconeSpool;

/*
 * An empty log in the current memory context, which must live as long as the
 * resource owner.  That holds the file, whatever becomes of the subtransaction
 * that outgrew memory.  Without an owner all stays in memory.
 */
extern PineconeSpool *pinecone_spool_create(ResourceOwner owner);

extern int64 pinecone_spool_size(const PineconeSpool *spool);
extern void pinecone_spool_append(PineconeSpool *spool, const char *data, int len);

/* Drop what was appended beyond that size. */
extern void pinecone_spool_truncate(PineconeSpool *spool, int64 size);

/* Copy len bytes from an offset; they must be there. */
extern void pinecone_spool_read(PineconeSpool *spool, int64 offset, char *data, int len);

/* Remove the file.  Not needed after an abort. */
extern void pinecone_spool_close(PineconeSpool *spool);

#endif /* PINECONE_SPOOL_H */

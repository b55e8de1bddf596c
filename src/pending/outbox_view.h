/*
 * outbox_view.h
 *		What waits in the outbox, kept for as long as a snapshot shows the same.
 */
#ifndef PINECONE_OUTBOX_VIEW_H
#define PINECONE_OUTBOX_VIEW_H

/* What is kept may not be so any more. */
extern void pinecone_outbox_forget_view(void);

#endif /* PINECONE_OUTBOX_VIEW_H */

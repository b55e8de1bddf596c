/*
 * commit_report.h
 *		What a commit sends is in no statement's plan: here it is told.
 */
#ifndef PINECONE_COMMIT_REPORT_H
#define PINECONE_COMMIT_REPORT_H

/* Send by that function, and count what it sends as this commit's; then tell. */
extern void pinecone_commit_report(void (*send)(void));

#endif /* PINECONE_COMMIT_REPORT_H */

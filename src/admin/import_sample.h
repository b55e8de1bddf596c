/*
 * import_sample.h
 *		What IMPORT FOREIGN SCHEMA knows of a namespace, and learns of its fields.
 */
#ifndef PINECONE_IMPORT_SAMPLE_H
#define PINECONE_IMPORT_SAMPLE_H

#include "nodes/pg_list.h"

#include "client/session.h"

typedef struct PineconeFieldSummary
{
	char *name;
	int seen;
	bool noted; /* that it holds what no text can */
} PineconeFieldSummary;

typedef struct PineconeNamespaceSummary
{
	char *name;		   /* "" for the default namespace, NULL for all */
	char *table;	   /* the foreign table's name */
	bool is_alias;	   /* of another namespace */
	double records;	   /* by statistics, or -1 */
	double looked;	   /* at so many */
	double candidates; /* ids that they were drawn from */
	char **ids;		   /* those drawn, spread over the namespace; none: the first are looked at */
	int nids;
	List *declared;				  /* names of fields (char *) */
	PineconeFieldSummary *fields; /* sorted by name */
	int nfields;
	int maxfields;
	bool has_sparse;
	bool noted;	 /* that a field's name is no text */
	List *notes; /* what is to be said of them */
} PineconeNamespaceSummary;

/*
 * Learn the fields of namespaces, sorted by name, from what they declare and so
 * many of their records: into their own summaries, or into "all" if that is given.
 */
extern void pinecone_import_summarize(PineconeSession *session, const struct PineconeStats *stats,
									  List *namespaces, int sample_size, PineconeNamespaceSummary *all);

/* Say how many records of how many these namespaces' columns go by, and what that may have missed. */
extern void pinecone_import_report_sample(List *namespaces);

/* Say what records hold that no column can show. */
extern void pinecone_import_report_notes(const PineconeNamespaceSummary *summary);

#endif /* PINECONE_IMPORT_SAMPLE_H */

/*
 * job.h
 *		What the control plane's lists of jobs and backups have in common.
 *
 * They are kept newest first, and a page's token is how many came before it.
 */
#ifndef JOB_H
#define JOB_H

#include "request.h"

#define JOB_ID 40

/* A random UUID; of JOB_ID bytes */
extern void job_make_id(char *id);
/* "2026-01-31T12:00:00.000Z", with its quotes */
extern void job_write_time(Buffer *b, int64_t wall_us);

typedef struct JobPage
{
	int limit;
	int skip; /* that came on pages before */
	int n;	  /* written */
	bool more;
} JobPage;

/* Begin a page, {"data":[; false: the reply holds the error */
extern bool job_page_begin(Request *r, JobPage *page);
/* Is the next one on the page?  Then it is to be written now */
extern bool job_page_takes(Request *r, JobPage *page);
extern void job_page_end(Request *r, const JobPage *page);

#endif

/*
 * job.c
 *		Pages of jobs and backups, their ids and times.
 */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_PAGE 100

void
job_make_id(char *id)
{
	uint64_t a = random_u64(), b = random_u64();

	snprintf(id, JOB_ID, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned) (a >> 32), (unsigned) (a >> 16 & 0xffff), (unsigned) (a & 0xfff),
			 (unsigned) (b >> 52), (unsigned long long) (b & 0xffffffffffff));
}

void
job_write_time(Buffer *b, int64_t us)
{
	time_t seconds = us / 1000000;
	struct tm tm;
	char text[40];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buffer_printf(b, "\"%s.%03dZ\"", text, (int) (us / 1000 % 1000));
}

bool
job_page_begin(Request *r, JobPage *page)
{
	Str prefix, token, last = STR("");

	memset(page, 0, sizeof(*page));
	/* Its errors are the control plane's */
	r->error_response = true;
	if (!check_page_params(r, MAX_PAGE, &page->limit, &prefix, &token) || (token.len > 0 && !token_read(r, token, 1, &last)))
		return false;
	if (last.len > 0)
		page->skip = atoi(arena_printf(&r->arena, "%.*s", (int) last.len, last.s).s);
	buffer_add_text(reply_body(r), "{\"data\":[");
	page->n = -page->skip;
	return true;
}

bool
job_page_takes(Request *r, JobPage *page)
{
	if (page->n >= page->limit)
	{
		page->more = true;
		return false;
	}
	if (page->n++ < 0)
		return false;
	if (page->n > 1)
		buffer_add_char(reply_body(r), ',');
	return true;
}

void
job_page_end(Request *r, const JobPage *page)
{
	Buffer *b = reply_body(r);

	buffer_add_char(b, ']');
	if (page->more)
	{
		char next[16];
		int len = snprintf(next, sizeof(next), "%d", page->skip + page->n);

		buffer_add_text(b, ",\"pagination\":{\"next\":\"");
		token_write(b, 1, (Str){next, (size_t) len});
		buffer_add_text(b, "\"}");
	}
	buffer_add_char(b, '}');
}

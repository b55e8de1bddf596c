/*
 * progress.c
 *		Waiting for what the service takes a while to do.
 *
 * The state is asked for at growing intervals.  An error, a cancel and a timeout
 * among them, gets a line of context: what is known, and that it may be repeated.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "admin/failed.h"
#include "admin/progress.h"
#include "client/call.h"
#include "client/control.h"
#include "client/http_wait.h"
#include "pending/audit.h"

/* Between two questions */
#define FIRST_PAUSE_MS 50
#define LONGEST_PAUSE_MS 2000

/* A state that stays the same is told of again after so long */
#define NOTICE_MS 10000

/* An index that has just been accepted may not be shown for a moment */
#define UNSHOWN_MS 15000

static void
tell(void *arg)
{
	const PineconeProgress *progress = arg;

	if (progress->accepted != NULL && progress->accepted[0] == '\0')
		errcontext("%s: Pinecone has accepted it; %s", progress->what, progress->repeat);
	else if (progress->accepted != NULL)
		errcontext("%s: Pinecone has accepted it, and it goes on there (%s); %s", progress->what,
				   progress->accepted, progress->repeat);
	else if (progress->sent != NULL)
		errcontext("%s: it has been asked for, and is not known to be done or not; %s", progress->what,
				   progress->repeat);
}

void
pinecone_progress_begin(PineconeProgress *progress, const char *what, const char *repeat)
{
	memset(progress, 0, sizeof(*progress));
	progress->what = what;
	progress->repeat = repeat;
	progress->started_at = pinecone_clock_now();
	progress->context.callback = tell;
	progress->context.arg = progress;
	progress->context.previous = error_context_stack;
	error_context_stack = &progress->context;
}

void
pinecone_progress_end(PineconeProgress *progress)
{
	error_context_stack = progress->context.previous;
}

void
pinecone_progress_send(PineconeProgress *progress, const PineconeSession *session, const char *operation,
					   const char *kind, const char *name)
{
	pinecone_audit_change(session, operation, kind, name);
	progress->sent = "sent";
}

void
pinecone_progress_answered(PineconeProgress *progress)
{
	progress->sent = NULL;
}

/* An error while the state is asked for the first time is to say it, too. */
void
pinecone_progress_wait(PineconeProgress *progress)
{
	progress->sent = NULL;
	if (progress->accepted == NULL)
		progress->accepted = "";
}

void
pinecone_progress_accept(PineconeProgress *progress, const char *state)
{
	bool is_new = strcmp(progress->told, state) != 0;

	progress->sent = NULL;
	if (is_new || pinecone_clock_passed(progress->told_at, NOTICE_MS))
	{
		strlcpy(progress->told, state, sizeof(progress->told));
		/* a NOTICE looks at interrupts, too: the context is to be right by then */
		progress->accepted = progress->told;
		ereport(NOTICE,
				(errmsg("%s: %s%s", progress->what, progress->told,
						is_new ? "" : psprintf(" for %d s", (int) ((pinecone_clock_now() - progress->started_at) / 1000000)))));
		progress->told_at = pinecone_clock_now();
	}
	progress->accepted = progress->told;
}

/* Pauses grow with what has gone by, and end with the wait. */
void
pinecone_progress_sleep(PineconeProgress *progress, PineconeTime end)
{
	int64 passed = (pinecone_clock_now() - progress->started_at) / 1000;
	PineconeTime until = pinecone_clock_after_ms(pinecone_clock_now(), Max(FIRST_PAUSE_MS, Min(passed / 4, LONGEST_PAUSE_MS)));

	until = Min(until, end);
	for (;;)
	{
		long left = pinecone_clock_ms_until(until);
		long calls;

		CHECK_FOR_INTERRUPTS();
		if (left <= 0)
			return;
		/* those of open cursors go on */
		pinecone_call_advance(NULL);
		calls = pinecone_call_timeout();
		pinecone_http_sleep(calls >= 0 ? Min(calls, left) : left);
	}
}

static void
report_late(const PineconeProgress *progress, const char *name, int64 most_ms, const char *until)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("index \"%s\" is not %s after %.1f s", name, until, most_ms / 1000.0),
			 errhint("Wait longer (argument \"timeout\"), or look at it later: pinecone_describe_index().")));
}

void
pinecone_progress_await_ready(PineconeProgress *progress, PineconeSession *session, const char *name,
							  int64 most_ms, PineconeIndexDescription *index)
{
	PineconeTime end = pinecone_clock_after_ms(pinecone_clock_now(), most_ms);

	pinecone_progress_wait(progress);
	for (;;)
	{
		PineconeCall *call = pinecone_control_describe_index(session, name, false);

		if (pinecone_control_status(call) == 404 && !pinecone_clock_passed(progress->started_at, UNSHOWN_MS))
			pinecone_progress_accept(progress, "not shown yet");
		else
		{
			if (!pinecone_control_succeeded(call))
				pinecone_failed(call, psprintf("could not describe index \"%s\"", name), NULL);
			if (!pinecone_index_read(pinecone_json_reply(call), index))
				pinecone_failed_reply(call, "the reply describes no index");
			if (index->ready)
			{
				pinecone_vectors_free(call);
				return;
			}
			if (pinecone_index_has_failed(index))
			{
				progress->accepted = NULL;
				ereport(ERROR,
						(errcode(ERRCODE_FDW_ERROR),
						 errmsg("index \"%s\" will not get ready: its state is %s", name, index->state),
						 errhint("Delete it, and create it anew.")));
			}
			pinecone_progress_accept(progress, index->state);
		}
		pinecone_vectors_free(call);
		if (pinecone_clock_now() >= end)
			report_late(progress, name, most_ms, "ready");
		pinecone_progress_sleep(progress, end);
	}
}

void
pinecone_progress_await_gone(PineconeProgress *progress, PineconeSession *session, const char *name, int64 most_ms)
{
	PineconeTime end = pinecone_clock_after_ms(pinecone_clock_now(), most_ms);

	pinecone_progress_wait(progress);
	for (;;)
	{
		PineconeCall *call = pinecone_control_describe_index(session, name, false);
		PineconeIndexDescription index;

		if (pinecone_control_status(call) == 404)
		{
			pinecone_vectors_free(call);
			return;
		}
		if (!pinecone_control_succeeded(call))
			pinecone_failed(call, psprintf("could not describe index \"%s\"", name), NULL);
		if (!pinecone_index_read(pinecone_json_reply(call), &index))
			pinecone_failed_reply(call, "the reply describes no index");
		pinecone_progress_accept(progress, index.state);
		pinecone_vectors_free(call);
		if (pinecone_clock_now() >= end)
			report_late(progress, name, most_ms, "gone");
		pinecone_progress_sleep(progress, end);
	}
}

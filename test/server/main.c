/*
 * main.c
 *		pinecone-local: start, wait for a signal, end.
 */
#include "analyzer.h"
#include "catalog.h"
#include "control.h"
#include "http.h"
#include "limits.h"
#include "listen.h"
#include "load.h"
#include "log.h"
#include "pool.h"
#include "settings.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool
make_indexes(void)
{
	for (int i = 0; i < settings.nindexes; i++)
	{
		IndexOption *o = &settings.indexes[i];
		Metric metric;
		Index *index = NULL;
		bool added;

		if (o->file && !(index = load_schema(o->name, o->file)))
			return false;
		if (!o->file)
		{
			metric_of_name(str_of(o->metric), &metric);
			index = index_new(o->name, o->dimension, metric, o->sparse);
		}
		added = catalog_add(index, o->port);
		index_release(index);
		if (!added)
		{
			fprintf(stderr, "pinecone-local: could not create index \"%s\": %s\n", o->name,
					errno == EEXIST ? "there is another of that name" : strerror(errno));
			return false;
		}
	}
	return true;
}

static bool
load_all(void)
{
	for (int i = 0; i < settings.nloads; i++)
	{
		char *error = NULL;

		if (!load_file(settings.loads[i], &error))
		{
			fprintf(stderr, "pinecone-local: %s\n", error);
			free(error);
			return false;
		}
	}
	return true;
}

/* Whole or not at all, for someone waits for it. */
static bool
write_port_file(int port)
{
	char name[4096];
	FILE *file;
	bool good;

	if (!settings.port_file)
		return true;
	snprintf(name, sizeof(name), "%s.new", settings.port_file);
	file = fopen(name, "w");
	good = file && fprintf(file, "%d\n", port) > 0;
	good = file && fclose(file) == 0 && good && rename(name, settings.port_file) == 0;
	if (!good)
		fprintf(stderr, "pinecone-local: could not write \"%s\": %s\n", settings.port_file, strerror(errno));
	return good;
}

static bool
save(void)
{
	char *error = NULL;

	if (!settings.save || save_file(settings.save, &error))
		return true;
	fprintf(stderr, "pinecone-local: %s\n", error);
	free(error);
	return false;
}

static void
free_settings(void)
{
	for (int i = 0; i < settings.nindexes; i++)
	{
		free(settings.indexes[i].name);
		free(settings.indexes[i].metric);
		free(settings.indexes[i].file);
	}
	free(settings.indexes);
	for (int i = 0; i < settings.napi_keys; i++)
		free(settings.api_keys[i]);
	free(settings.api_keys);
	free(settings.key_rights);
	free(settings.loads);
}

/* Options, the data to begin with, the listeners; then wait for a signal. */
int
main(int argc, char **argv)
{
	sigset_t signals;
	int fd, port, signal_number;
	bool good;

	options_read(argc, argv);

	/* Replies are megabytes: take memory for them again, not from the kernel anew */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 16 << 20);

	/* Threads inherit this; main waits for the signals */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	pool_start(settings.threads);
	if (!http_start())
		return 1;
	good = make_indexes() && load_all();
	if (!good)
	{
		/* The indexes serve already, so end in good order */
		http_stop();
		catalog_end();
		analyzer_end();
		free_settings();
		thread_buffers_free();
		return 1;
	}
	for (int i = 0; i < LAGS; i++)
		store_lag_ms[i] = settings.lag_ms[i];
	limits_factor = settings.rate_limits;
	if ((fd = listen_open(settings.port, &port)) < 0)
		fprintf(stderr, "pinecone-local: could not listen on %s port %d: %s\n", settings.listen, settings.port, strerror(errno));
	else
	{
		listen_add(fd, NULL);
		settings.port = port;
		good = write_port_file(port);
		if (good)
		{
			printf("pinecone-local listens on %s port %d%s\n", settings.listen, port, settings.tls_cert ? " (TLS)" : "");
			fflush(stdout);
			sigwait(&signals, &signal_number);
		}
	}
	good = good && fd >= 0;
	http_stop();
	good = (!good || save()) && good;
	catalog_end();
	convert_end();
	backup_end();
	analyzer_end();
	log_end_all();
	free_settings();
	thread_buffers_free();
	return good ? 0 : 1;
}

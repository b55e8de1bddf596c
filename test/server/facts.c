/*
 * facts.c
 *		What nobody knows for sure of the service, as --assume says it is.
 */
#include "facts.h"

#include "json.h"

#include <stdio.h>

#define MAX_VALUES 3

_Atomic int fact_values[FACTS];

static const struct
{
	const char *name;
	const char *values[MAX_VALUES];
	const char *what;
} facts[FACTS] = {
	[FACT_OLD_VERSIONS] = {"old-versions", {"shown", "hidden"}, "document indexes under a version before 2026-07"},
	[FACT_DOCUMENT_VERSION] = {"document-version", {"any", "2026-07"}, "the version that /documents/ asks for"},
	[FACT_DOCUMENT_STATS] = {"document-stats", {"bare", "full", "refused"}, "statistics of a document index: counts alone, with\ndimension and metric, or a 400"},
	[FACT_SPARSE_METRIC] = {"sparse-metric", {"reject", "ignore"}, "a metric in a field of type sparse_vector"},
	[FACT_CONVERSION] = {"conversion", {"at-once", "slow"}, "converting an index: done before the answer, or half a second\nlater"},
	[FACT_BACKUP] = {"backup", {"at-once", "slow"}, "backups and indexes from them: done before the answer, or half\na second later"},
	[FACT_ZERO_VECTOR] = {"zero-vector", {"reject", "accept"}, "a dense vector of zeros in a document"},
	[FACT_NULL_FIELD] = {"null-field", {"reject", "drop"}, "null in a document that is upserted"},
	[FACT_LAST_FIELD] = {"last-field", {"allow", "reject"}, "an update that takes away the last field of the schema"},
	[FACT_SCHEMA_UPDATE] = {"schema-update", {"reject", "allow"}, "fields of the schema in an update by filter"},
	[FACT_MATCH_CAP] = {"match-cap", {"none", "100000"}, "documents that an update by filter changes"},
	[FACT_MATCHED_RECORDS] = {"matched-records", {"present", "absent"}, "the count that a delete by filter answers"},
	[FACT_DELETE_ALL_ABSENT] = {"delete-all-absent", {"not-found", "ok"}, "delete_all in a namespace that never was"},
	[FACT_DOCUMENT_LSN] = {"document-lsn", {"on", "off"}, "log sequence numbers in the headers of /documents/"},
	[FACT_FOREIGN_TOKEN] = {"foreign-token", {"reject", "accept"}, "a page's token with another namespace or filter"},
	[FACT_RESULT_LIMIT] = {"result-limit", {"4mb", "none"}, "the longest answer of /documents/"},
	[FACT_UNKNOWN_FIELD] = {"unknown-field", {"absent", "reject"}, "a name in include_fields that no document has"},
	[FACT_DENSE_ONLY] = {"dense-only", {"found", "empty"}, "searches and filtered fetches where a dense vector is\nall that the schema has"},
	[FACT_TIES] = {"ties", {"id", "random"}, "the order of documents with equal scores"},
	[FACT_EUCLIDEAN_SCORE] = {"euclidean-score", {"distance", "similarity"}, "squared distance, or 1 / (1 + that)"},
	[FACT_TEXT_FILTER] = {"text-filter", {"none", "works", "reject"}, "$eq, $exists and the like on fields of the schema: match\nnothing, work, are a 400"},
	[FACT_FETCH_MATCH] = {"fetch-match", {"allow", "reject"}, "$match_* in the filter of a fetch"},
	[FACT_NOT_MISSING] = {"not-missing", {"match", "skip"}, "$not where a field of the condition is missing"},
	[FACT_LONG_TOKEN] = {"long-token", {"cut", "drop"}, "words of more than 40 characters"},
	[FACT_STOP_WORDS] = {"stop-words", {"stemmed", "plain"}, "what is looked up in the list of stop words"},
	[FACT_FIELD_LENGTH] = {"field-length", {"exact", "quantised"}, "the length of a text in BM25"},
	[FACT_PURE_NEGATION] = {"pure-negation", {"none", "all"}, "what \"-word\" alone finds"},
	[FACT_STAR] = {"star", {"all", "with-text"}, "what \"*\" finds"},
};

bool
fact_set(Str name, Str value, bool set)
{
	for (int i = 0; i < FACTS; i++)
	{
		if (!str_is(name, facts[i].name))
			continue;
		for (int v = 0; v < MAX_VALUES && facts[i].values[v]; v++)
		{
			if (!str_is(value, facts[i].values[v]))
				continue;
			if (set)
				fact_values[i] = v;
			return true;
		}
	}
	return false;
}

void
fact_write(Buffer *b)
{
	for (int i = 0; i < FACTS; i++)
	{
		buffer_add_text(b, i ? ",\"" : "{\"");
		buffer_printf(b, "%s\":\"%s\"", facts[i].name, facts[i].values[fact_values[i]]);
	}
	buffer_add_char(b, '}');
}

void
fact_help(void)
{
	for (int i = 0; i < FACTS; i++)
	{
		char choice[80];
		const char *line = facts[i].what;
		int n = snprintf(choice, sizeof(choice), "%s=", facts[i].name);

		for (int v = 0; v < MAX_VALUES && facts[i].values[v]; v++)
			n += snprintf(choice + n, sizeof(choice) - (size_t) n, "%s%s", v ? "|" : "", facts[i].values[v]);
		while (*line)
		{
			int len = (int) strcspn(line, "\n");

			printf("    %-34s %.*s\n", choice, len, line);
			choice[0] = '\0';
			line += len + (line[len] == '\n');
		}
	}
}

/*
 * table_options.c
 *		What the options of a foreign table and its columns say, as a struct.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "option/column_type.h"
#include "option/option_value.h"
typedef struct RoleName
{
	const char *name;
	PineconeRole role;
} RoleName;

/* By option; and by default, if the type is one the role can have. */
static const RoleName role_names[] = {
	{"id", PINECONE_ROLE_ID},
	{"values", PINECONE_ROLE_VALUES},
	{"sparse_values", PINECONE_ROLE_SPARSE_VALUES},
	{"score", PINECONE_ROLE_SCORE},
	{"metadata", PINECONE_ROLE_METADATA},
	{"namespace", PINECONE_ROLE_NAMESPACE},
	{"text", PINECONE_ROLE_TEXT},
	{"field", PINECONE_ROLE_FIELD},
};

static const RoleName default_roles[] = {
	{"id", PINECONE_ROLE_ID},
	{"values", PINECONE_ROLE_VALUES},
	{"embedding", PINECONE_ROLE_VALUES},
	{"vector", PINECONE_ROLE_VALUES},
	{"sparse_values", PINECONE_ROLE_SPARSE_VALUES},
	{"score", PINECONE_ROLE_SCORE},
	{"metadata", PINECONE_ROLE_METADATA},
};

static bool
role_can_have_type(PineconeRole role, Oid typid)
{
	typid = getBaseType(typid);
	switch (role)
	{
		case PINECONE_ROLE_ID:
			return pinecone_column_type_is_id(typid);
		case PINECONE_ROLE_NAMESPACE:
		case PINECONE_ROLE_TEXT:
			return typid == TEXTOID || typid == VARCHAROID;
		case PINECONE_ROLE_VALUES:
			return pinecone_column_type_is_vector(typid);
		case PINECONE_ROLE_SPARSE_VALUES:
			return typid == JSONBOID || typid == pinecone_column_type_of_pgvector("sparsevec");
		case PINECONE_ROLE_SCORE:
			return typid == FLOAT4OID || typid == FLOAT8OID;
		case PINECONE_ROLE_METADATA:
			return typid == JSONBOID;
		default:
			return pinecone_column_type_is_field(typid);
	}
}

static const char *
role_types(PineconeRole role)
{
	switch (role)
	{
		case PINECONE_ROLE_ID:
			return "text, varchar, uuid, integer or bigint";
		case PINECONE_ROLE_NAMESPACE:
			return "text";
		case PINECONE_ROLE_TEXT:
			return "text or varchar";
		case PINECONE_ROLE_VALUES:
			return "real[], vector or halfvec";
		case PINECONE_ROLE_SPARSE_VALUES:
			return "jsonb or sparsevec";
		case PINECONE_ROLE_SCORE:
			return "real or double precision";
		case PINECONE_ROLE_METADATA:
			return "jsonb";
		default:
			return "text, varchar, boolean, smallint, integer, bigint, real, double precision, numeric, timestamptz, timestamp, date, uuid, an enum, text[], json or jsonb";
	}
}

/* What a column's name says it is, whatever its type. */
static PineconeRole
role_of_name(const char *name)
{
	for (int i = 0; i < lengthof(default_roles); i++)
	{
		if (strcmp(name, default_roles[i].name) == 0)
			return default_roles[i].role;
	}
	return PINECONE_ROLE_FIELD;
}

static const char *
role_name(PineconeRole role)
{
	for (int i = 0; i < lengthof(role_names); i++)
	{
		if (role_names[i].role == role)
			return role_names[i].name;
	}
	return "field";
}

/* What a type says that nothing but vectors has, whatever the column is called. */
static PineconeRole
role_of_type(Oid typid, PineconeRole otherwise)
{
	if (role_can_have_type(PINECONE_ROLE_FIELD, typid))
		return otherwise;
	if (role_can_have_type(PINECONE_ROLE_VALUES, typid))
		return PINECONE_ROLE_VALUES;
	return role_can_have_type(PINECONE_ROLE_SPARSE_VALUES, typid) ? PINECONE_ROLE_SPARSE_VALUES : otherwise;
}

/*
 * A column's role: what its option says, or else what its name and type make of
 * it; an error if the type cannot be that.
 */
static PineconeRole
column_role(PineconeTable *table, Form_pg_attribute att, List *defs)
{
	char *name = pinecone_option_string(defs, "role", NULL);
	PineconeRole role = PINECONE_ROLE_FIELD;

	if (name == NULL)
	{
		/* a field option says that it is one, of metadata or of vectors */
		if (pinecone_option_string(defs, "field", NULL) != NULL)
			role = role_of_type(att->atttypid, role);
		else
		{
			PineconeRole usual = role_of_name(NameStr(att->attname));

			if (usual == PINECONE_ROLE_FIELD)
				usual = role_of_type(att->atttypid, usual);

			/* of a type that nothing has, the error tells what goes with the name */
			if (role_can_have_type(usual, att->atttypid) ||
				!role_can_have_type(PINECONE_ROLE_FIELD, att->atttypid))
				role = usual;
			/* hardly a field: it would read NULL, and nobody would know why */
			else if (usual == PINECONE_ROLE_ID)
				ereport(ERROR,
						(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
						 errmsg("column \"id\" of foreign table \"%s\" cannot have type %s",
								table->name,
								format_type_with_typemod(att->atttypid, att->atttypmod)),
						 errdetail("A column of record ids can be %s.", role_types(PINECONE_ROLE_ID)),
						 errhint("For a metadata field of that name, set option \"field\" to 'id'.")));
		}
	}
	else
	{
		for (int i = 0; i < lengthof(role_names); i++)
		{
			if (strcmp(name, role_names[i].name) == 0)
				role = role_names[i].role;
		}
	}
	if (!role_can_have_type(role, att->atttypid))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" cannot have type %s",
						NameStr(att->attname), table->name,
						format_type_with_typemod(att->atttypid, att->atttypmod)),
				 errdetail("A column of role \"%s\" can be %s.",
						   role_name(role), role_types(role)),
				 role == PINECONE_ROLE_FIELD && pinecone_column_type_is_vector(getBaseType(att->atttypid)) ?
					 errhint("For the column of the records' vectors, set option \"role\" to 'values'.") :
				 role == PINECONE_ROLE_VALUES && getBaseType(att->atttypid) == FLOAT8ARRAYOID ?
					 errhint("Pinecone stores float32; declare the column as real[].") :
					 0));
	return role;
}

static const struct
{
	const char *name;
	PineconeFormat format;
} formats[] = {
	{"iso", PINECONE_FORMAT_ISO},
	{"iso_ms", PINECONE_FORMAT_ISO_MS},
	{"iso_short", PINECONE_FORMAT_ISO_SHORT},
	{"iso_python", PINECONE_FORMAT_ISO_PYTHON},
	{"as_stored", PINECONE_FORMAT_AS_STORED},
	{"epoch", PINECONE_FORMAT_EPOCH},
	{"epoch_ms", PINECONE_FORMAT_EPOCH_MS},
	{"json", PINECONE_FORMAT_JSON},
};

static bool
format_goes_with(PineconeFormat format, Oid typid)
{
	if (format == PINECONE_FORMAT_JSON)
		return typid == JSONOID || typid == JSONBOID;
	return typid == TIMESTAMPTZOID || typid == TIMESTAMPOID || typid == DATEOID;
}

static PineconeFormat
column_format(PineconeTable *table, Form_pg_attribute att, List *defs)
{
	char *name = pinecone_option_string(defs, "format", NULL);
	PineconeFormat format = PINECONE_FORMAT_ISO;

	if (name == NULL)
		return PINECONE_FORMAT_ISO;
	for (int i = 0; i < lengthof(formats); i++)
	{
		if (strcmp(formats[i].name, name) == 0)
			format = formats[i].format;
	}
	if (!format_goes_with(format, getBaseType(att->atttypid)))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" of foreign table \"%s\" has option \"format\" set to '%s', but type %s",
						NameStr(att->attname), table->name, name,
						format_type_with_typemod(att->atttypid, att->atttypmod)),
				 format == PINECONE_FORMAT_JSON ?
					 errdetail("That is a format of columns of type jsonb and json.") :
					 errdetail("That is a format of columns of type timestamptz, timestamp and date.")));
	return format;
}

/* Remember a column that a table can have only one of. */
static void
set_single(PineconeTable *table, PineconeColumn *column, AttrNumber *attnum)
{
	if (*attnum != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_COLUMN_NUMBER),
				 errmsg("columns \"%s\" and \"%s\" of foreign table \"%s\" have the same role",
						table->columns[*attnum - 1].name, column->name, table->name),
				 errhint("Set option \"role\" or \"field\" of one of them.")));
	*attnum = column->attnum;
}

/* The column of the records' text is a field, which the table's options may name. */
static void
read_text_column(PineconeTable *table, PineconeColumn *column, List *table_defs)
{
	set_single(table, column, &table->text_attnum);
	column->role = PINECONE_ROLE_FIELD;
	column->is_text = true;
	if (!column->field_given)
		column->field = pinecone_option_value(table_defs, "text_key");
	table->text_field = column->field;
	table->text_key_given = column->field_given || pinecone_option_string(table_defs, "text_key", NULL) != NULL;
}

/* Fill in one column: its role, the field it stands for, its type and the format of its values. */
static void
read_column(PineconeTable *table, Form_pg_attribute att, PineconeColumn *column, List *table_defs)
{
	List *defs;

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	if (att->attisdropped)
		return;
	defs = GetForeignColumnOptions(table->relid, att->attnum);
	column->typid = att->atttypid;
	column->typmod = att->atttypmod;
	column->collation = att->attcollation;
	column->role = column_role(table, att, defs);
	column->format = column_format(table, att, defs);
	column->field = pinecone_option_string(defs, "field", column->name);
	column->field_given = pinecone_option_string(defs, "field", NULL) != NULL;
	column->role_given = pinecone_option_string(defs, "role", NULL) != NULL;
	if (column->role == PINECONE_ROLE_TEXT)
		read_text_column(table, column, table_defs);
	switch (column->role)
	{
		case PINECONE_ROLE_ID:
			set_single(table, column, &table->id_attnum);
			break;
		case PINECONE_ROLE_VALUES:
			set_single(table, column, &table->values_attnum);
			break;
		case PINECONE_ROLE_SPARSE_VALUES:
			set_single(table, column, &table->sparse_attnum);
			break;
		case PINECONE_ROLE_SCORE:
			set_single(table, column, &table->score_attnum);
			break;
		case PINECONE_ROLE_METADATA:
			set_single(table, column, &table->metadata_attnum);
			break;
		case PINECONE_ROLE_NAMESPACE:
			set_single(table, column, &table->namespace_attnum);
			break;
		case PINECONE_ROLE_FIELD:
			if (column->field[0] == '$')
				ereport(ERROR,
						(errcode(ERRCODE_FDW_INVALID_COLUMN_NAME),
						 errmsg("column \"%s\" of foreign table \"%s\" names a metadata field that cannot exist",
								column->name, table->name),
						 errhint("Set option \"field\": names of metadata fields do not begin with \"$\".")));
			break;
		default:
			break;
	}
}

static void
read_write_options(PineconeTable *table, List *defs)
{
	table->session_consistency = strcmp(pinecone_option_value(defs, "consistency"), "session") == 0;
	table->consistency_timeout_ms = pinecone_option_number(defs, "consistency_timeout");
	table->consistency_warning = strcmp(pinecone_option_value(defs, "on_consistency_timeout"), "warning") == 0;
	table->updatable = pinecone_option_bool(defs, "updatable");
	table->truncatable = pinecone_option_bool(defs, "truncatable");
	table->transactional = strcmp(pinecone_option_value(defs, "write_mode"), "transactional") == 0;
	table->outbox = strcmp(pinecone_option_value(defs, "write_mode"), "outbox") == 0;
	table->duplicate_error = strcmp(pinecone_option_value(defs, "on_duplicate"), "error") == 0;
	table->update_records = strcmp(pinecone_option_value(defs, "update_method"), "records") == 0;
	table->delete_by_filter = pinecone_option_bool(defs, "delete_by_filter");
	table->verify_deletes = pinecone_option_bool(defs, "verify_deletes");
	table->verify_updates = pinecone_option_bool(defs, "verify_updates");
	table->batch_size = pinecone_option_number(defs, "batch_size");
	table->write_concurrency = pinecone_option_number(defs, "write_concurrency");
}

/* Which namespaces: one, or several if there is a column that tells which. */
static void
read_namespaces(PineconeTable *table, List *defs)
{
	char *one = pinecone_option_string(defs, "namespace", NULL);
	char *names = pinecone_option_string(defs, "namespaces", NULL);

	if (table->namespace_attnum == 0)
	{
		if (names != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
					 errmsg("foreign table \"%s\" has option \"namespaces\", but no column of role \"namespace\"",
							table->name),
					 errhint("Add a text column with option \"role\" set to 'namespace', or use option \"namespace\".")));
		table->namespace_ = pstrdup(pinecone_option_plain_namespace(pinecone_option_value(defs, "namespace")));
		return;
	}
	if (one != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("foreign table \"%s\" has option \"namespace\" and a column of role \"namespace\"",
						table->name),
				 errdetail("Column \"%s\" makes it span namespaces.",
						   table->columns[table->namespace_attnum - 1].name),
				 errhint("Use option \"namespaces\" to name several, or none of the options for all.")));
	if (names != NULL)
		table->namespaces = pinecone_option_names(names, &table->nnamespaces);
}

PineconeTable *
pinecone_option_read_writing(Oid relid)
{
	PineconeTable *table = palloc0(sizeof(PineconeTable));
	ForeignTable *foreign_table = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(foreign_table->serverid);

	table->relid = relid;
	table->server = pinecone_option_read_server(server);
	read_write_options(table, list_concat_copy(foreign_table->options, server->options));
	return table;
}

PineconeTable *
pinecone_option_read_table(Oid relid)
{
	PineconeTable *table = palloc0(sizeof(PineconeTable));
	ForeignTable *foreign_table = GetForeignTable(relid);
	ForeignServer *server = GetForeignServer(foreign_table->serverid);
	List *defs = list_concat_copy(foreign_table->options, server->options);
	Relation rel = table_open(relid, NoLock);
	TupleDesc desc = RelationGetDescr(rel);

	table->relid = relid;
	table->name = pstrdup(RelationGetRelationName(rel));
	table->server = pinecone_option_read_server(server);
	table->type_error_null = strcmp(pinecone_option_value(defs, "on_type_error"), "null") == 0;
	table->count_from_stats = pinecone_option_bool(defs, "count_from_stats");
	read_write_options(table, defs);
	/* a dry run of an update is an update to Pinecone's eyes */
	table->count_from_dry_run = table->updatable && pinecone_option_bool(defs, "count_from_dry_run");
	table->async_capable = pinecone_option_bool(defs, "async_capable");
	table->cache_ttl_ms = pinecone_option_number(defs, "cache_ttl");
	table->cache_size_kb = pinecone_option_number(defs, "cache_size");

	table->ncolumns = desc->natts;
	table->columns = palloc0(Max(desc->natts, 1) * sizeof(PineconeColumn));
	for (int i = 0; i < desc->natts; i++)
		read_column(table, TupleDescAttr(desc, i), &table->columns[i], defs);
	read_namespaces(table, foreign_table->options);
	table_close(rel, NoLock);
	return table;
}

bool
pinecone_option_has_namespace(const PineconeTable *table, const char *name)
{
	if (table->namespace_attnum == 0)
		return strcmp(table->namespace_, name) == 0;
	for (int i = 0; i < table->nnamespaces; i++)
	{
		if (strcmp(table->namespaces[i], name) == 0)
			return true;
	}
	return table->namespaces == NULL;
}

PineconeColumn *
pinecone_option_column(PineconeTable *table, AttrNumber attnum)
{
	if (attnum < 1 || attnum > table->ncolumns ||
		table->columns[attnum - 1].role == PINECONE_ROLE_DROPPED)
		return NULL;
	return &table->columns[attnum - 1];
}

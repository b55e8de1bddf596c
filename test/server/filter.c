/*
 * filter.c
 *		The metadata filter language (API 2025-10).
 */
#include <string.h>

#include "server.h"

#define MAX_IN_VALUES 10000

static bool
is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
}

static bool
is_scalar(struct json_object *value)
{
	return is_number(value) || json_object_is_type(value, json_type_string) ||
		   json_object_is_type(value, json_type_boolean);
}

static bool
illegal(Reply *reply, const char *field, struct json_object *condition)
{
	reply_rpc_error(reply, 400, 3, "illegal condition for field %s, got %.200s", field,
					json_object_to_json_string_ext(condition, JSON_C_TO_STRING_PLAIN));
	return false;
}

static bool
check_operator(const char *field, const char *op, struct json_object *operand,
			   struct json_object *condition, Reply *reply)
{
	if (strcmp(op, "$eq") == 0 || strcmp(op, "$ne") == 0)
		return is_scalar(operand) || illegal(reply, field, condition);
	if (strcmp(op, "$gt") == 0 || strcmp(op, "$gte") == 0 || strcmp(op, "$lt") == 0 ||
		strcmp(op, "$lte") == 0)
		return is_number(operand) || illegal(reply, field, condition);
	if (strcmp(op, "$exists") == 0)
		return json_object_is_type(operand, json_type_boolean) || illegal(reply, field, condition);
	if (strcmp(op, "$in") == 0 || strcmp(op, "$nin") == 0)
	{
		size_t n;

		if (!json_object_is_type(operand, json_type_array))
			return illegal(reply, field, condition);
		n = json_object_array_length(operand);
		if (n > MAX_IN_VALUES)
		{
			reply_rpc_error(reply, 400, 3, "%s for field %s has %zu values, the limit is %d", op,
							field, n, MAX_IN_VALUES);
			return false;
		}
		for (size_t i = 0; i < n; i++)
		{
			if (!is_scalar(json_object_array_get_idx(operand, i)))
				return illegal(reply, field, condition);
		}
		return true;
	}
	return illegal(reply, field, condition);
}

bool
filter_check(struct json_object *filter, Reply *reply)
{
	if (!json_object_is_type(filter, json_type_object))
	{
		reply_rpc_error(reply, 400, 3, "filter must be an object");
		return false;
	}
	json_object_object_foreach(filter, key, value)
	{
		if (strcmp(key, "$and") == 0 || strcmp(key, "$or") == 0)
		{
			if (!json_object_is_type(value, json_type_array) || json_object_array_length(value) == 0)
				return illegal(reply, key, value);
			for (size_t i = 0; i < json_object_array_length(value); i++)
			{
				if (!filter_check(json_object_array_get_idx(value, i), reply))
					return false;
			}
		}
		else if (key[0] == '$')
			return illegal(reply, key, value);
		else if (json_object_is_type(value, json_type_object))
		{
			if (json_object_object_length(value) == 0)
				return illegal(reply, key, value);
			json_object_object_foreach(value, op, operand)
			{
				if (!check_operator(key, op, operand, value, reply))
					return false;
			}
		}
		else if (!is_scalar(value))
			return illegal(reply, key, value);
	}
	return true;
}

/* Equality of scalars: of one type, numbers by value */
static bool
equal_scalars(struct json_object *a, struct json_object *b)
{
	if (is_number(a) || is_number(b))
		return is_number(a) && is_number(b) && json_object_get_double(a) == json_object_get_double(b);
	if (json_object_get_type(a) != json_object_get_type(b))
		return false;
	if (json_object_is_type(a, json_type_boolean))
		return json_object_get_boolean(a) == json_object_get_boolean(b);
	return json_object_get_string_len(a) == json_object_get_string_len(b) &&
		   memcmp(json_object_get_string(a), json_object_get_string(b),
				  json_object_get_string_len(a)) == 0;
}

/* A list matches by any of its elements. */
static bool
value_equals(struct json_object *stored, struct json_object *operand)
{
	if (!json_object_is_type(stored, json_type_array))
		return equal_scalars(stored, operand);
	for (size_t i = 0; i < json_object_array_length(stored); i++)
	{
		if (equal_scalars(json_object_array_get_idx(stored, i), operand))
			return true;
	}
	return false;
}

static bool
value_in(struct json_object *stored, struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
	{
		if (value_equals(stored, json_object_array_get_idx(list, i)))
			return true;
	}
	return false;
}

static bool
match_operator(struct json_object *stored, bool present, const char *op, struct json_object *operand)
{
	double number;

	if (strcmp(op, "$exists") == 0)
		return present == (bool) json_object_get_boolean(operand);
	if (strcmp(op, "$ne") == 0)
		return present ? !value_equals(stored, operand) : settings.ne_matches_missing;
	if (strcmp(op, "$nin") == 0)
		return present ? !value_in(stored, operand) : settings.ne_matches_missing;
	if (!present)
		return false;
	if (strcmp(op, "$eq") == 0)
		return value_equals(stored, operand);
	if (strcmp(op, "$in") == 0)
		return value_in(stored, operand);
	if (!is_number(stored))
		return false;
	number = json_object_get_double(stored);
	if (strcmp(op, "$gt") == 0)
		return number > json_object_get_double(operand);
	if (strcmp(op, "$gte") == 0)
		return number >= json_object_get_double(operand);
	if (strcmp(op, "$lt") == 0)
		return number < json_object_get_double(operand);
	return number <= json_object_get_double(operand);
}

static bool
match_field(struct json_object *metadata, const char *field, struct json_object *condition)
{
	struct json_object *stored = NULL;
	bool present = metadata && json_object_object_get_ex(metadata, field, &stored);

	if (!json_object_is_type(condition, json_type_object))
		return present && value_equals(stored, condition);
	json_object_object_foreach(condition, op, operand)
	{
		if (!match_operator(stored, present, op, operand))
			return false;
	}
	return true;
}

bool
filter_match(struct json_object *filter, struct json_object *metadata)
{
	json_object_object_foreach(filter, key, value)
	{
		bool any = false;

		if (strcmp(key, "$and") != 0 && strcmp(key, "$or") != 0)
		{
			if (!match_field(metadata, key, value))
				return false;
			continue;
		}
		for (size_t i = 0; i < json_object_array_length(value); i++)
		{
			bool matches = filter_match(json_object_array_get_idx(value, i), metadata);

			any |= matches;
			if (key[1] == 'a' && !matches)
				return false;
		}
		if (key[1] == 'o' && !any)
			return false;
	}
	return true;
}

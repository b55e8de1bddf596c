/*
 * models.h
 *		Stand-ins for the service's models: the same text gives the same numbers,
 *		and texts that share words are near each other.
 */
#ifndef MODELS_H
#define MODELS_H

#include "request.h"

typedef enum ModelKind
{
	MODEL_DENSE,
	MODEL_SPARSE,
	MODEL_RERANK,
} ModelKind;

typedef struct Model
{
	const char *name, *description, *provider;
	ModelKind kind;
	int dimensions[6]; /* the first is the default; 0 ends them */
	const char *metrics;
	int max_tokens, max_batch;
} Model;

#define MAX_EMBEDDED 96 /* texts in a request */

extern const Model *model_find(Str name);
extern bool model_has_dimension(const Model *model, int dimension);
extern bool model_has_metric(const Model *model, Metric metric);

/* Both return the number of tokens */
extern int model_embed(Str text, float *values, int dimension);
extern int model_embed_sparse(Str text, Sparse **sparse);
/* From 0 to 1 */
extern float model_rerank(Str query, Str text);

/* POST /embed, POST /rerank, GET /models; false: it is none of them */
extern bool models_respond(Request *r);

#endif

/*
 * huf_sketch.h
 *		The sketch of a set of embeddings: type huf_sketch, and the state of the
 *		aggregates that make one.
 */
#ifndef PINECONE_HUF_SKETCH_H
#define PINECONE_HUF_SKETCH_H

#include "huf/huf_common.h"

#define HUF_SKETCH_VERSION 1
#define HUF_MAX_DIMENSIONS 1000000

/*
 * As stored.  After the header come three rows of dim doubles: the sum of unit
 * vectors, the mean, and the squared deviations from the mean.  The state of
 * an aggregate has a fourth, the origin of its mean, and that of directions
 * alone has only the first.
 */
typedef struct HufSketch
{
	int32 vl_len_;
	uint8 version;
	uint8 rows; /* 3; in a state 4, or 1 for directions alone */
	uint16 unused;
	int32 dim;
	int32 unused2;
	int64 n;	 /* vectors */
	int64 units; /* vectors that have a direction: all but zero vectors */
	double value[FLEXIBLE_ARRAY_MEMBER];
} HufSketch;

#define HUF_SKETCH_STORED 3
#define HUF_SKETCH_STATE 4
#define HUF_SKETCH_DIRECTIONS 1

#define HUF_SKETCH_SIZE(dim, rows) (offsetof(HufSketch, value) + sizeof(double) * (rows) * (Size) (dim))
#define DatumGetSketch(x) ((HufSketch *) PG_DETOAST_DATUM(x))
#define PG_GETARG_SKETCH(n) DatumGetSketch(PG_GETARG_DATUM(n))

static inline const double *
huf_sketch_units(const HufSketch *s)
{
	return s->value;
}

static inline const double *
huf_sketch_mean(const HufSketch *s)
{
	return s->value + s->dim;
}

static inline const double *
huf_sketch_m2(const HufSketch *s)
{
	return s->value + 2 * (Size) s->dim;
}

/* An embedding as it comes: real[], float8[] or pgvector's vector */
typedef struct HufEmbedding
{
	int dim;
	const float *single; /* one of these two */
	const double *wide;
	struct varlena *copy; /* to be freed, if detoasting made one */
} HufEmbedding;

extern void pinecone_huf_embedding_arg(FunctionCallInfo fcinfo, int arg, HufEmbedding *e);
extern void pinecone_huf_embedding_release(HufEmbedding *e);

static inline double
huf_component(const HufEmbedding *e, int i)
{
	return e->single != NULL ? e->single[i] : e->wide[i];
}

/*
 * The state of an aggregate.  Sums of very many rows, added one by one, would
 * gather rounding errors; so rows go into a block, and full blocks into a
 * total.  A state that never fills a block has no total.
 */
typedef struct HufSketchState
{
	HufSketch *block;
	HufSketch *total;
} HufSketchState;

extern HufSketch *pinecone_huf_sketch_create(MemoryContext context, int dim, int rows);
extern void pinecone_huf_sketch_add(HufSketch *s, const HufEmbedding *e);
extern void pinecone_huf_sketch_merge(HufSketch *s, const HufSketch *other);
extern void pinecone_huf_sketch_recentre(HufSketch *s);
extern HufSketch *pinecone_huf_sketch_whole(const HufSketchState *state);
extern HufSketch *pinecone_huf_sketch_load(const HufSketch *stored);
extern HufSketch *pinecone_huf_sketch_store(const HufSketch *s);

#endif /* PINECONE_HUF_SKETCH_H */

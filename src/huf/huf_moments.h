/*
 * huf_moments.h
 *		The state of the concentration aggregates of fixed size, which is a value
 *		of the SQL type huf_moments.
 *
 * Such a value may be stored, so a change of the struct is a new version.
 */
#ifndef PINECONE_HUF_MOMENTS_H
#define PINECONE_HUF_MOMENTS_H

#include "huf/huf_common.h"

#define HUF_MOMENTS_VERSION 1
#define HUF_MIN_EXPONENT (-1021)

/* Not every aggregate keeps all sums. */
#define HUF_NO_SQUARES 1 /* Q and the largest */
#define HUF_NO_LOGS 2	 /* X */
#define HUF_NO_M2 4

typedef struct HufMoments
{
	/* Settings */
	uint8 version;
	uint8 kind;	   /* HufKind */
	bool fixed;	   /* kind and temperature were given, by a row */
	bool nan;	   /* an item was NaN or infinite */
	uint8 missing; /* HUF_NO_...: sums that some items did not go into */
	int16 exponent;
	double t; /* the temperature */

	/* Counts */
	int64 n;
	int64 positive; /* items whose share is above 0 */

	/* Reference */
	double limit;  /* linear: 2^exponent; softmax: the reference score */
	double factor; /* linear: 2^-exponent; softmax: 1 / t is not exact, unused */

	/* Sums */
	HufSum y;
	HufSum q;
	HufSum x;
	double m2; /* sum of squared deviations of y from its mean */
	double largest;
	double top; /* softmax: the largest score, whose weight is "largest" */
} HufMoments;

StaticAssertDecl(sizeof(HufMoments) == 120, "CREATE TYPE huf_moments says INTERNALLENGTH = 120");

#define PG_GETARG_MOMENTS(n) ((HufMoments *) PG_GETARG_POINTER(n))

/* The state before the first row. */
extern void pinecone_huf_moments_clear(HufMoments *m);

#endif /* PINECONE_HUF_MOMENTS_H */

/*
 * huf_twosample.h
 *		Comparing two sorted samples.
 */
#ifndef PINECONE_HUF_TWOSAMPLE_H
#define PINECONE_HUF_TWOSAMPLE_H

#include "postgres.h"

extern double pinecone_huf_compare_sorted(const double *a, int64 na, const double *b, int64 nb, double *area);

#endif /* PINECONE_HUF_TWOSAMPLE_H */

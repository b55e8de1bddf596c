/*
 * huf_drift.h
 *		Drift between two distributions.
 */
#ifndef PINECONE_HUF_DRIFT_H
#define PINECONE_HUF_DRIFT_H

#include "postgres.h"

extern double pinecone_huf_check_eps(double eps);
extern double pinecone_huf_psi_sum(double *p, double *q, int64 n, double eps);

#endif /* PINECONE_HUF_DRIFT_H */

/*
 * huf_cycle.h
 *		Hits in, kept and discarded ones out, with what each step did to the mass.
 */
#ifndef PINECONE_HUF_CYCLE_H
#define PINECONE_HUF_CYCLE_H

#include "huf/huf_common.h"

typedef enum HufMode
{
	HUF_MODE_GLOBAL,
	HUF_MODE_LOCAL,
	HUF_MODE_DUAL,
} HufMode;

typedef enum HufReason
{
	HUF_KEPT,
	HUF_NULL_SCORE,
	HUF_NOT_FINITE,
	HUF_ZERO_TOTAL,
	HUF_BELOW_TAU,
} HufReason;

typedef struct HufSettings
{
	double tau;
	HufMode mode;
	bool has_tau_local;
	double tau_local;
	HufKind kind;
	double t;
	bool energy; /* shares of x^2 instead of x */
} HufSettings;

typedef struct HufHit
{
	/* Input */
	text *namespace; /* NULL for rows without one */
	text *id;
	bool has_score;
	double score;

	/* Before exclusion */
	int regime;
	bool massive;  /* has a mass: the score is there and finite */
	double mass;   /* as reported */
	double scaled; /* what shares are made of */
	double rho;
	double local;

	/* After */
	HufReason reason;
	double rho_post;
	double local_post;
	int64 rank; /* 1 is the largest share kept; 0 if excluded */
} HufHit;

typedef struct HufRegime
{
	text *name;
	HufSum scaled;
	HufSum kept;
	HufSum lost;
	HufSum unity; /* local shares kept, added up rather than assumed */
	double rho;
	double rho_post;
	double discarded;
	int64 active;
} HufRegime;

typedef struct HufCycle
{
	HufSettings settings;

	/* Rows */
	int n;
	HufHit *hit;
	int nregimes;
	HufRegime *regime; /* ascending by name */
	HufHit **ranked;   /* those kept, by rank */

	/* Accounts */
	double total;
	bool has_total; /* false if shares are undefined */
	bool valid;		/* something was kept */
	int64 active;
	double discarded; /* part of the total, if has_total */
} HufCycle;

/* Positions of the arguments that all functions of a cycle share */
#define HUF_ARG_HITS 0
#define HUF_ARG_TAU 1
#define HUF_ARG_MODE 2
#define HUF_ARG_TAU_LOCAL 3
#define HUF_ARG_KIND 4
#define HUF_ARG_T 5
#define HUF_ARG_FRAME 6
#define HUF_ARG_OTHER 7

extern void pinecone_huf_cycle_settings(FunctionCallInfo fcinfo, HufSettings *settings);
extern HufCycle *pinecone_huf_cycle_load(FunctionCallInfo fcinfo, const HufSettings *settings);
extern void pinecone_huf_cycle_exclude(HufCycle *cycle, double tau);
extern HufCycle *pinecone_huf_cycle_run(FunctionCallInfo fcinfo);
extern const char *pinecone_huf_cycle_mode(const HufCycle *cycle);
extern const char *pinecone_huf_cycle_reason(const HufCycle *cycle, const HufHit *hit);

#endif /* PINECONE_HUF_CYCLE_H */

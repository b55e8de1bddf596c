/*
 * domain.h
 *		Checks a value against all the constraints of its domain.
 */
#ifndef PINECONE_DOMAIN_H
#define PINECONE_DOMAIN_H

typedef struct PineconeDomain PineconeDomain;

/* Lives in the current memory context. */
extern PineconeDomain *pinecone_domain_create(Oid typid);

/*
 * NULL, or what is violated, as the end of a sentence about the domain.  An
 * error that a constraint's own expression raises is not caught.
 */
extern const char *pinecone_domain_violation(PineconeDomain *domain, Datum value, bool isnull);

#endif /* PINECONE_DOMAIN_H */

/*
 * database.h
 *		Statements about databases, in which no worker may be meanwhile.
 */
#ifndef PINECONE_DATABASE_H
#define PINECONE_DATABASE_H

#include "nodes/parsenodes.h"

/* The database that a statement needs for itself, if it is the user's to have; or InvalidOid. */
extern Oid pinecone_database_of(Node *statement);

#endif /* PINECONE_DATABASE_H */

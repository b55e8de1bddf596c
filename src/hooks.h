/*
 * hooks.h
 *		For _PG_init: hook into PostgreSQL, once.
 */
#ifndef PINECONE_HOOKS_H
#define PINECONE_HOOKS_H

extern void pinecone_hooks_install(void);

#endif /* PINECONE_HOOKS_H */

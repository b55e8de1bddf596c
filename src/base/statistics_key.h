/*
 * statistics_key.h
 *		Who, where and what an entry of the statistics counts.
 */
#ifndef PINECONE_STATISTICS_KEY_H
#define PINECONE_STATISTICS_KEY_H

#define PINECONE_OPERATION_NAME 40
#define PINECONE_NAMESPACE_NAME 513 /* Pinecone takes 512 characters, all ASCII */

/* What tells entries apart: names by 64 bits, of which no two are alike in practice */
typedef struct PineconeStatisticsId
{
	Oid dbid;
	Oid userid;
	Oid serverid;
	uint32 unused; /* no bytes without a value */
	uint64 operation;
	uint64 namespace_; /* 0: of none */
} PineconeStatisticsId;

typedef struct PineconeStatisticsKey
{
	PineconeStatisticsId id;
	char server[NAMEDATALEN];
	char operation[PINECONE_OPERATION_NAME];
	char namespace_[PINECONE_NAMESPACE_NAME]; /* in UTF-8 */
} PineconeStatisticsKey;

#endif /* PINECONE_STATISTICS_KEY_H */

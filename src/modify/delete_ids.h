/*
 * delete_ids.h
 *		Deleting records by their ids alone.
 */
#ifndef PINECONE_DELETE_IDS_H
#define PINECONE_DELETE_IDS_H

/*
 * Delete records as the current user, who needs the right to, whether there are
 * such records or not: nothing is read, so none is missed that the service does
 * not show yet.  "namespaces" may be NULL where the table has one.  What no
 * record can have for an id is passed over.  Returns how many deletes there are.
 */
extern int pinecone_modify_delete_ids(Oid relid, char **namespaces, char **ids, int n);

#endif /* PINECONE_DELETE_IDS_H */

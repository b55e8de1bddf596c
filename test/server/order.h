/*
 * order.h
 *		A sorted set of records by id: insert, remove, seek, walk.
 */
#ifndef ORDER_H
#define ORDER_H

#include "store.h"

extern Ordered *order_new(void);
extern void order_free(Ordered *order);
extern void order_insert(Ordered *order, Record *record);
extern void order_remove(Ordered *order, const Record *record);
/* Put another record of the same id in the place of one */
extern void order_replace(Ordered *order, Record *record);

#endif

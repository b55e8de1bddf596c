/*
 * cppcheck.h
 *		PostgreSQL's macros that cppcheck has to know, in a form it follows: it reads
 *		our files without PostgreSQL's headers, which takes seconds and not an hour.
 */
#define Assert(condition) ((void) 0)
#define ereport(level, ...) do { if ((level) >= ERROR) abort(); } while (0)
#define elog(level, ...) do { if ((level) >= ERROR) abort(); } while (0)
#define ERROR 21
#define FATAL 22
#define PG_TRY() do { if (unknown()) {
#define PG_CATCH() } else {
#define PG_FINALLY() } {
#define PG_END_TRY() } } while (0)
#define PG_FUNCTION_INFO_V1(name) extern int name(void)
#define PG_MODULE_MAGIC extern int magic
#define foreach(cell, list) for (cell = first(list); cell != NULL; cell = next(cell))
#define forboth(cell1, list1, cell2, list2) for (cell1 = first(list1), cell2 = first(list2); cell1 != NULL && cell2 != NULL; cell1 = next(cell1), cell2 = next(cell2))
#define for_each_from(cell, list, n) for (cell = nth(list, n); cell != NULL; cell = next(cell))
#define dlist_foreach(iter, head) for (iter.cur = first(head); iter.cur != NULL; iter.cur = next(iter.cur))
#define dlist_foreach_modify(iter, head) for (iter.cur = first(head); iter.cur != NULL; iter.cur = next(iter.cur))
#define slist_foreach(iter, head) for (iter.cur = first(head); iter.cur != NULL; iter.cur = next(iter.cur))

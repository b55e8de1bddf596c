/*
 * plan_scan.c
 *		From a chosen path to the plan of a foreign scan: what is sent, what is
 *		checked here, and which columns the rows carry.
 */
#include "postgres.h"

/*
 * setting_cost.h
 *		For setting.c: the settings about what requests cost.
 */
#ifndef PINECONE_SETTING_COST_H
#define PINECONE_SETTING_COST_H

/* May be called again, when it has failed for want of memory. */
extern void pinecone_setting_cost_init(void);

#endif /* PINECONE_SETTING_COST_H */

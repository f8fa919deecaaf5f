/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be measured: `bench CASE name=value...`, see main.c.
 */
#ifndef _BENCH_CASES_H
#define _BENCH_CASES_H

unsigned int option(const char *name);

void count_calls(void);
void count_locks(void);
void count_pools(void);
void count_restricted(void);
void time_failures(void);
void time_loops(void);
void time_occupancy(void);
void time_pairs(void);
void time_pools(void);
void time_threads(void);
void time_wandering(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both sides take turns at the same work, and each turn is timed (contest.c).
 */
#ifndef _BENCH_CONTEST_H
#define _BENCH_CONTEST_H

#include <linux/types.h>

#define TURN_NS		1000000

/**
 * struct contestant - one that works
 * @name:	Name of the side, or of what it is compared with.
 * @work:	Does the work @n times. Called once in a turn.
 * @before:	Called before each turn, not timed. May be %NULL.
 * @with:	Argument of both.
 * @n:		How often in a turn; 0 to find out how often fills TURN_NS.
 * @calls:	Number of calls that are timed in the work.
 */
struct contestant {
	const char *name;
	void (*work)(void *with, unsigned long n);
	void (*before)(void *with);
	void *with;
	unsigned long n;
	unsigned long calls;
};

void contest(const char *label, struct contestant *contestants, unsigned int nr,
	     unsigned int turns);

#endif

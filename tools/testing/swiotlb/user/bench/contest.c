// SPDX-License-Identifier: GPL-2.0
/*
 * Both sides take turns at the same work, and each turn is timed.
 */
#include "contest.h"
#include "machine.h"

static double turn(const struct contestant *one, unsigned long n)
{
	u64 start;

	if (one->before)
		one->before(one->with);
	start = now_ns();
	one->work(one->with, n);
	return now_ns() - start;
}

/* A turn may be long only because it was interrupted, so three turns have to be long. */
static void find_n(struct contestant *one)
{
	unsigned int slow = 0;

	for (one->n = 1; slow < 3; ) {
		if (turn(one, one->n) >= TURN_NS) {
			slow++;
		} else {
			one->n *= 2;
			slow = 0;
		}
	}
}

/*
 * Prints "label|name|nanoseconds of a call" for each turn. The side that begins changes
 * from turn to turn.
 */
void contest(const char *label, struct contestant *contestants, unsigned int nr,
	     unsigned int turns)
{
	struct contestant *one;
	unsigned int i, j;
	double ns;

	for (i = 0; i < nr; i++)
		if (!contestants[i].n)
			find_n(&contestants[i]);

	for (i = 0; i < turns; i++) {
		for (j = 0; j < nr; j++) {
			one = &contestants[(i + j) % nr];
			ns = turn(one, one->n);
			printf("%s|%s|%.3f\n", label, one->name, ns / one->n / one->calls);
		}
	}
}

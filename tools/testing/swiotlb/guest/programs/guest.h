/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest programs share: seeded content, KTAP lines, and calls that end
 * the program with one clear line when they fail.
 */
#ifndef SWIOTLB_GUEST_H
#define SWIOTLB_GUEST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>

/*
 * Content is a function of seed, stream (which file, which connection) and
 * place, so that any part can be made or checked without the parts before it.
 */
void pattern_fill(void *mem, size_t len, __u64 seed, __u64 stream, __u64 at);

/* The place of the first wrong byte in @mem, or -1. */
long pattern_check(const void *mem, size_t len, __u64 seed, __u64 stream, __u64 at);

/* A sequence of numbers from a seed, below a bound. */
struct rng {
	__u64 state;
};

struct rng rng_from(__u64 seed, __u64 stream);
__u64 rng_below(struct rng *rng, __u64 bound);

/* One KTAP suite per program: header and plan, one line per test, the end. */
void ktap_start(const char *suite, unsigned int tests);
void ktap_result(bool ok, const char *name);
int ktap_end(__u64 moved);	/* the exit code */

/* Print a diagnostic. die() also ends the suite, as failed, and the program. */
[[gnu::format(printf, 1, 2)]] void note(const char *fmt, ...);
[[gnu::format(printf, 1, 2)]] noreturn void die(const char *fmt, ...);

/* Read a number from @low to @high, or die with a message that names @what. */
__u64 parse_number(const char *text, const char *what, __u64 low, __u64 high);

void *xalloc(size_t size, size_t align);

#endif /* SWIOTLB_GUEST_H */

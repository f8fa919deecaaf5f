// SPDX-License-Identifier: GPL-2.0
/* What the guest programs share, see guest.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static const char *suite_name;
static unsigned int suite_tests;
static unsigned int suite_done;
static unsigned int suite_failed;

static __u64 mix(__u64 x)
{
	x = (x ^ (x >> 31)) * 0x7fb5d329728ea185ull;
	x = (x ^ (x >> 27)) * 0x81dadef4bc2dd44dull;
	return x ^ (x >> 33);
}

static __u64 pattern_word(__u64 seed, __u64 stream, __u64 number)
{
	return mix(mix(seed * 0x9e3779b97f4a7c15ull + stream) + number);
}

/* Eight bytes a step; parts of a word at both ends. */
void pattern_fill(void *mem, size_t len, __u64 seed, __u64 stream, __u64 at)
{
	unsigned char *to = mem;

	while (len) {
		__u64 word = pattern_word(seed, stream, at / 8);
		size_t skip = at % 8;
		size_t part = 8 - skip < len ? 8 - skip : len;

		memcpy(to, (char *)&word + skip, part);
		to += part;
		at += part;
		len -= part;
	}
}

long pattern_check(const void *mem, size_t len, __u64 seed, __u64 stream, __u64 at)
{
	unsigned char want[4096];
	size_t done, part, i;

	for (done = 0; done < len; done += part) {
		const unsigned char *have = (const unsigned char *)mem + done;

		part = len - done < sizeof(want) ? len - done : sizeof(want);
		pattern_fill(want, part, seed, stream, at + done);
		if (!memcmp(want, have, part))
			continue;
		for (i = 0; want[i] == have[i]; i++)
			;
		note("byte %llu is %02x, expected %02x",
		     (at + done + i), have[i], want[i]);
		return (long)(done + i);
	}
	return -1;
}

struct rng rng_from(__u64 seed, __u64 stream)
{
	struct rng rng = { .state = pattern_word(seed, stream, ~0ull) };

	return rng;
}

__u64 rng_below(struct rng *rng, __u64 bound)
{
	rng->state += 0x9e3779b97f4a7c15ull;
	return mix(rng->state) % bound;
}

void ktap_start(const char *suite, unsigned int tests)
{
	suite_name = suite;
	suite_tests = tests;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..1\n");
	printf("    KTAP version 1\n    # Subtest: %s\n    1..%u\n", suite, tests);
}

void ktap_result(bool ok, const char *name)
{
	printf("    %s %u %s\n", ok ? "ok" : "not ok", ++suite_done, name);
	if (!ok)
		suite_failed++;
}

int ktap_end(__u64 moved)
{
	bool ok = !suite_failed && suite_done == suite_tests;

	printf("%s 1 %s\n", ok ? "ok" : "not ok", suite_name);
	printf("# STAT moved=%llu\n", moved);
	return ok ? 0 : 1;
}

void note(const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	printf("    # %s\n", line);
}

noreturn void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	if (suite_name)
		printf("not ok 1 %s\n", suite_name);
	exit(suite_name ? 1 : 2);
}

__u64 parse_number(const char *text, const char *what, __u64 low, __u64 high)
{
	__u64 value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < low || value > high)
		die("%s: '%s' is not a number from %llu to %llu", what, text,
		    low, high);
	return value;
}

void *xalloc(size_t size, size_t align)
{
	void *mem;

	if (posix_memalign(&mem, align, size))
		die("no %zu bytes of memory", size);
	return mem;
}

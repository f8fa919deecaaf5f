// SPDX-License-Identifier: GPL-2.0
/*
 * Entry for a fuzzer: a sequence of steps, the same bytes as `fuzz --replay` reads.
 */
#include "fuzz.h"
#include "steps.h"

int fuzz_one(const u8 *data, size_t size)
{
	static struct step steps[MAX_STEPS];
	unsigned int progress;

	size = min(size, sizeof(steps));
	memcpy(steps, data, size);
	run_sequence(steps, size / sizeof(*steps), &progress, false);
	return 0;
}

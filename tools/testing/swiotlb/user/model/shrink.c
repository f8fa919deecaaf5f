// SPDX-License-Identifier: GPL-2.0
/*
 * A sequence fails: make it short, then plain. Steps are left out as long as it fails, at
 * first half of them. Then operands are set to zero, down to single bits.
 */
#include "steps.h"

static bool (*fails)(const struct step *steps, unsigned int nr);

/* Leave out @count steps from @from on, if the sequence still fails without them. */
static bool without(struct step *steps, unsigned int *nr, unsigned int from, unsigned int count)
{
	struct step shorter[MAX_STEPS];

	memcpy(shorter, steps, from * sizeof(*steps));
	memcpy(shorter + from, steps + from + count, (*nr - from - count) * sizeof(*steps));
	if (!fails(shorter, *nr - count))
		return false;
	*nr -= count;
	memcpy(steps, shorter, *nr * sizeof(*steps));
	return true;
}

static bool leave_out(struct step *steps, unsigned int *nr, unsigned int count)
{
	bool any = false;
	unsigned int from;

	for (from = *nr; from-- > HEADER_STEPS;)
		if (from + count <= *nr && without(steps, nr, from, count))
			any = true;
		else if (count > 1)
			from -= min(from - HEADER_STEPS, count - 1);
	return any;
}

static bool try_step(struct step *steps, unsigned int nr, unsigned int i, struct step plain)
{
	struct step before = steps[i];

	if (!memcmp(&before, &plain, sizeof(plain)))
		return false;
	steps[i] = plain;
	if (fails(steps, nr))
		return true;
	steps[i] = before;
	return false;
}

static bool clear_bits(struct step *steps, unsigned int nr, unsigned int i, u64 bits)
{
	struct step plain;
	u64 word;

	memcpy(&word, &steps[i], sizeof(word));
	word &= ~bits;
	memcpy(&plain, &word, sizeof(plain));
	return try_step(steps, nr, i, plain);
}

/* Clear all operands, or one byte after the other, then each bit. The operation stays. */
static bool make_plain(struct step *steps, unsigned int nr, unsigned int i)
{
	unsigned int first = i < HEADER_STEPS ? 0 : 8, bit;
	struct step plain = steps[i];
	bool any = false;

	if (first) {
		plain.op = op_code(op_of(&plain));
		any |= try_step(steps, nr, i, plain);
	}
	if (clear_bits(steps, nr, i, U64_MAX << first))
		return true;
	for (bit = first; bit < 64; bit += 8)
		any |= clear_bits(steps, nr, i, 0xffULL << bit);
	for (bit = first; bit < 64; bit++)
		any |= clear_bits(steps, nr, i, 1ULL << bit);
	return any;
}

unsigned int shrink(struct step *steps, unsigned int nr,
		    bool (*test)(const struct step *steps, unsigned int nr))
{
	unsigned int count, i;
	bool any;

	fails = test;
	do {
		any = false;
		for (count = max(nr / 2, 1U); count; count /= 2)
			any |= leave_out(steps, &nr, count);
		for (i = 0; i < nr; i++)
			any |= make_plain(steps, nr, i);
	} while (any);
	return nr;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * How long maps take that fail.
 */
#include <linux/swiotlb.h>

#include "cases.h"
#include "contest.h"
#include "load.h"
#include "machine.h"

/* More than one slot, at the start of a page */
#define SIZE	4096

static void fail(void *with, unsigned long n)
{
	struct load *load = with;

	while (n--)
		if (load->side->map(load->source, SIZE, TO_DEVICE) != MAP_FAILED_DMA)
			machine_die("%s has room for what cannot be there", load->side->name);
}

/* All slots have been in use, and every other one is free again. */
static void fragment_anew(void *with)
{
	load_clear(with);
	load_fragment(with);
}

/*
 * bench fail turns=
 *
 * "first" is the first failure after each set has changed: the longest that a map can
 * take, with interrupts off.
 */
void time_failures(void)
{
	struct contestant contestants[ARRAY_SIZE(sides)] = { };
	struct load loads[ARRAY_SIZE(sides)];
	unsigned int turns, i;
	phys_addr_t source;

	run_on(0);
	boot_sides(64, 1);
	source = source_alloc(SIZE);
	turns = option("turns");
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		load_init(&loads[i], sides[i], source);
		load_fragment(&loads[i]);
		contestants[i] = (struct contestant){ sides[i]->name, fail, NULL, &loads[i], 0, 1 };
	}
	contest("fragmented", contestants, ARRAY_SIZE(contestants), turns);

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		contestants[i].before = fragment_anew;
		contestants[i].n = 1;
	}
	contest("first", contestants, ARRAY_SIZE(contestants), turns);

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		load_fill(&loads[i], IO_TLB_SIZE);
		contestants[i].before = NULL;
		contestants[i].n = 0;
	}
	contest("full", contestants, ARRAY_SIZE(contestants), turns);
}

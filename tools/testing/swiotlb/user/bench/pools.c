// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to find the pool that an address is in.
 */
#include <linux/swiotlb.h>

#include "cases.h"
#include "contest.h"
#include "load.h"
#include "machine.h"

#define SIZE	65536

/* All pools are full; mappings are looked at in random order. */
static void shuffle(struct load *load)
{
	u64 random = 1;
	unsigned int i, j;

	for (i = load->nr - 1; i; i--) {
		j = next_random(&random) % (i + 1);
		swap(load->dma[i], load->dma[j]);
	}
}

static void find_all(void *with, unsigned long n)
{
	struct load *load = with;
	unsigned int i;

	while (n--)
		for (i = 0; i < load->nr; i++)
			if (!load->side->find(load->dma[i]))
				machine_die("%s does not find a pool", load->side->name);
}

static void sync_all(void *with, unsigned long n)
{
	struct load *load = with;
	unsigned int i;

	while (n--)
		for (i = 0; i < load->nr; i++)
			load->side->sync(load->dma[i], 64, TO_DEVICE);
}

static void unmap_all(void *with, unsigned long n)
{
	struct load *load = with;
	unsigned int i;

	for (i = 0; i < load->nr; i++)
		load->side->unmap(load->dma[i], SIZE, TO_DEVICE);
	load->nr = 0;
}

static void fill(void *with)
{
	struct load *load = with;

	if (load->nr)
		return;
	load_fill(load, SIZE);
	shuffle(load);
}

/* bench pools pools= turns= */
void time_pools(void)
{
	unsigned int pools = option("pools"), turns = option("turns"), i;
	struct contestant contestants[ARRAY_SIZE(sides)] = { };
	struct load loads[ARRAY_SIZE(sides)];
	phys_addr_t source;

	run_on(0);
	boot_sides(1, 1);
	source = source_alloc(SIZE);
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		add_pools(sides[i], pools - 1);
		load_init(&loads[i], sides[i], source);
		fill(&loads[i]);
		contestants[i] = (struct contestant){ sides[i]->name, find_all, NULL, &loads[i],
						      0, loads[i].nr };
	}
	contest("find", contestants, ARRAY_SIZE(contestants), turns);

	for (i = 0; i < ARRAY_SIZE(sides); i++)
		contestants[i].work = sync_all;
	contest("sync", contestants, ARRAY_SIZE(contestants), turns);

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		contestants[i].work = unmap_all;
		contestants[i].before = fill;
		contestants[i].n = 1;
	}
	contest("unmap", contestants, ARRAY_SIZE(contestants), turns);
}

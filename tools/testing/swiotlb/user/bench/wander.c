// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that wander: a CPU makes them and any other undoes them, as for network and
 * block devices with many queues. One thread runs as all CPUs in turn, so the times
 * include work and locks, but no waiting.
 */
#include <linux/swiotlb.h>

#include "cases.h"
#include "contest.h"
#include "load.h"
#include "machine.h"
#include "wander.h"

static dma_addr_t map_one(struct wander *w)
{
	dma_addr_t dma;

	machine_cpu = next_random(&w->random) % w->cpus;
	dma = w->side->map(w->source, w->size, TO_DEVICE);
	if (dma == MAP_FAILED_DMA)
		machine_die("%s has no room", w->side->name);
	return dma;
}

/* Choose the mapping to be undone next, and the CPU that undoes it. */
unsigned int wander_choose(struct wander *w)
{
	machine_cpu = next_random(&w->random) % w->cpus;
	return next_random(&w->random) % w->nr;
}

void wander_init(struct wander *w, const struct side *side, phys_addr_t source,
		 unsigned int cpus)
{
	*w = (struct wander){
		.side = side, .source = source, .size = 64, .cpus = cpus,
		.random = 17, .dma = machine_alloc(side->slots() * sizeof(*w->dma)),
	};
	while (w->nr < WANDERING)
		w->dma[w->nr++] = map_one(w);
}

/* Replace random mappings. */
static void wander_turn(void *with, unsigned long n)
{
	struct wander *w = with;
	unsigned int i;

	while (n--) {
		i = wander_choose(w);
		w->side->unmap(w->dma[i], w->size, TO_DEVICE);
		w->dma[i] = map_one(w);
	}
}

/* The same, and add one more mapping each time. */
static void wander_rise(void *with, unsigned long n)
{
	struct wander *w = with;

	while (n--) {
		wander_turn(w, 1);
		w->dma[w->nr++] = map_one(w);
	}
}

/* bench wander areas= turns= */
void time_wandering(void)
{
	struct contestant contestants[ARRAY_SIZE(sides)] = { };
	struct wander wanders[ARRAY_SIZE(sides)];
	unsigned int turns, i;
	phys_addr_t source;

	run_on(0);
	boot_sides(64, option("areas"));
	source = source_alloc(PAGE_SIZE);
	turns = option("turns");
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		wander_init(&wanders[i], sides[i], source, option("areas"));
		contestants[i] = (struct contestant){ sides[i]->name, wander_turn, NULL,
						      &wanders[i], 0, 1 };
	}
	contest("steady", contestants, ARRAY_SIZE(contestants), turns);

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		contestants[i].work = wander_rise;
		contestants[i].n = 256;
	}
	contest("rising", contestants, ARRAY_SIZE(contestants), turns);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings that are made and undone by random CPUs (wander.c).
 */
#ifndef _BENCH_WANDER_H
#define _BENCH_WANDER_H

#include "side.h"

#define WANDERING	1024

/**
 * struct wander - mappings that wander from CPU to CPU
 * @side:	Software IO TLB.
 * @source:	Buffer that all of them map.
 * @size:	Its size in bytes.
 * @cpus:	How many CPUs there are.
 * @random:	State of the random numbers.
 * @nr:		Number of mappings.
 * @dma:	Their DMA addresses.
 */
struct wander {
	const struct side *side;
	phys_addr_t source;
	size_t size;
	unsigned int cpus;
	u64 random;
	unsigned int nr;
	dma_addr_t *dma;
};

void wander_init(struct wander *w, const struct side *side, phys_addr_t source,
		 unsigned int cpus);
unsigned int wander_choose(struct wander *w);

#endif

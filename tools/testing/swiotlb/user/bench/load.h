/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mappings that several cases make before or during a measurement (load.c).
 */
#ifndef _BENCH_LOAD_H
#define _BENCH_LOAD_H

#include "side.h"

/**
 * struct load - mappings of one side, to device
 * @side:	Software IO TLB.
 * @source:	Buffer that all of them map.
 * @nr:		Number of mappings.
 * @room:	How many there can be.
 * @dma:	Their DMA addresses.
 * @size:	Their sizes.
 */
struct load {
	const struct side *side;
	phys_addr_t source;
	unsigned int nr;
	unsigned int room;
	dma_addr_t *dma;
	u32 *size;
};

extern const struct side *const sides[2];
extern unsigned long metadata_bytes[2];		/* of the pool, by side */

void boot_sides(unsigned int mib, unsigned int areas);
void reserve_pools(unsigned int mib);
void add_pools(const struct side *side, unsigned int nr);
phys_addr_t source_alloc(size_t size);
u64 next_random(u64 *state);
void check_copies(const struct side *side);
void walk_pool(const struct side *side, phys_addr_t source);

void load_init(struct load *load, const struct side *side, phys_addr_t source);
bool load_add(struct load *load, size_t size);
void load_remove(struct load *load, unsigned int i);
void load_clear(struct load *load);
void load_fill(struct load *load, size_t size);
void load_fragment(struct load *load);
void load_occupy(struct load *load, unsigned int percent, u64 seed);

#endif

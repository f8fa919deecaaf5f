/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that a sequence runs on, together with what the model knows of it.
 */
#ifndef _WORLD_H
#define _WORLD_H

#include "steps.h"

#define ARENA_SIZE	((size_t)800 << 10)
#define ARENA_PAGES	(ARENA_SIZE >> PAGE_SHIFT)
#define MAX_MAPPINGS	200
#define MAX_GROWTH	32

/**
 * struct world - everything that is reset for a sequence
 * @mem:	The default software IO TLB and the restricted one.
 * @dev:	Devices.
 * @mask:	Their masks.
 * @range_map:	Their range maps.
 * @arena:	Memory for original buffers: high, if there is any, and low.
 * @foreign:	Pages of the first arena that belong to another domain.
 * @map:	All mappings.
 * @nr_maps:	How many there are.
 * @cpu:	The CPU that runs.
 * @growth:	How often the worker has run.
 * @growth_due:	The worker must have been scheduled since then.
 * @fail_nth:	For each kind of failure, which call fails.
 * @may_leak:	Memory cannot be taken back from devices, and may be leaked.
 * @looked_at:	Position of the checks that do not look at everything each time.
 * @rmem:	The restricted pool; its size is 0 if there is none.
 * @objects:	Small objects in use after boot.
 * @pages:	Pages in use after boot.
 * @extents:	Frames of the hypervisor in use after boot.
 */
struct world {
	struct model_mem mem[2];
	struct device dev[NR_DEVICES];
	u64 mask[NR_DEVICES];
	struct bus_dma_region range_map[NR_DEVICES][3];
	phys_addr_t arena[2];
	bool foreign[ARENA_PAGES];
	struct mapping map[MAX_MAPPINGS];
	unsigned int nr_maps;
	unsigned int cpu;
	unsigned int growth;
	bool growth_due;
	unsigned int fail_nth[NR_FAILURES];
	bool may_leak;
	unsigned int looked_at;
	struct reserved_mem rmem;
	unsigned long objects;
	unsigned long pages;
	unsigned long extents;
};

extern struct world world;

const u8 *noise(unsigned int choice, size_t size);
void world_begin(const struct step *header);
void world_look_around(void);
void world_look_at(const struct mapping *map);
void world_end(void);

#endif
